//! Thrift's compact protocol, as far as the headers of Parquet files need it.
//!
//! What is read is bounded by the bytes that are there: a length that says more is an error before
//! anything is reserved for it, and nesting has a limit.

/// Structures inside each other: a footer has 6.
const DEEPEST: usize = 32;

/// A value, with what is of no interest left out.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Any whole number.
    Whole(i64),
    /// A list or a set.
    List(Vec<Value>),
    /// Fields by number.
    Struct(Vec<(i64, Value)>),
    /// Truths, reals, texts, maps.
    Other,
}

impl Value {
    /// The field of that number.
    pub(crate) fn field(&self, id: i64) -> Option<&Self> {
        match self {
            Self::Struct(fields) => fields.iter().find(|(at, _)| *at == id).map(|(_, v)| v),
            _ => None,
        }
    }

    /// All fields of that number: a damaged structure may have one twice, and a reader then takes each.
    pub(crate) fn all(&self, id: i64) -> impl Iterator<Item = &Self> {
        let fields = match self {
            Self::Struct(fields) => fields.as_slice(),
            _ => &[],
        };
        let own = fields.iter().filter(move |(at, _)| *at == id);
        own.map(|(_, value)| value)
    }

    /// The whole number in the field of that number.
    pub(crate) fn whole(&self, id: i64) -> Option<i64> {
        match self.field(id)? {
            Self::Whole(value) => Some(*value),
            _ => None,
        }
    }

    /// The list in the field of that number; empty where there is none.
    pub(crate) fn list(&self, id: i64) -> &[Self] {
        match self.field(id) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }
}

/// Reads the structure that `bytes` begin with; gives its length too. `None` when it is cut or broken.
pub(crate) fn structure(bytes: &[u8]) -> Option<(Value, usize)> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.structure(0)?;
    Some((value, reader.at))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, n: u64) -> Option<Value> {
        let left = self.bytes.len() - self.at;
        let n = usize::try_from(n).ok().filter(|n| *n <= left)?;
        self.at += n;
        Some(Value::Other)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn structure(&mut self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        let mut fields = Vec::new();
        let mut id = 0_i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(Value::Struct(fields));
            }
            id = match head >> 4 {
                0 => self.zigzag()?,
                delta => id.checked_add(i64::from(delta))?,
            };
            // A truth stands in the head of its field.
            let value = match head & 0x0f {
                1 | 2 => Value::Other,
                kind => self.value(kind, depth)?,
            };
            fields.push((id, value));
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Option<Value> {
        match kind {
            1..=3 => self.skip(1),
            4..=6 => self.zigzag().map(Value::Whole),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let n = match head >> 4 {
                    15 => self.varint()?,
                    n => u64::from(n),
                };
                let n = self.fits(n)?;
                let items = (0..n).map(|_| self.value(head & 0x0f, depth + 1));
                items.collect::<Option<_>>().map(Value::List)
            }
            11 => {
                let n = self.varint()?;
                let n = self.fits(n)?;
                let kinds = if n == 0 { 0 } else { self.byte()? };
                for _ in 0..n {
                    self.value(kinds >> 4, depth + 1)?;
                    self.value(kinds & 0x0f, depth + 1)?;
                }
                Some(Value::Other)
            }
            12 => self.structure(depth + 1),
            13 => self.skip(16),
            _ => None,
        }
    }

    /// A number of items, each of which takes a byte at least.
    fn fits(&self, n: u64) -> Option<usize> {
        let left = self.bytes.len() - self.at;
        usize::try_from(n).ok().filter(|n| *n <= left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_read_and_lengths_beyond_the_bytes_refused() {
        // Field 1: -3; field 3: a text of two bytes; field 4: a list of two numbers.
        let bytes = [0x15, 5, 0x28, 2, b'a', b'b', 0x19, 0x25, 2, 4, 0, 99];
        let (value, length) = structure(&bytes).unwrap();
        assert_eq!((value.whole(1), length), (Some(-3), 11));
        let items = value.list(4).iter().map(|v| match v {
            Value::Whole(n) => *n,
            _ => 0,
        });
        assert_eq!(items.collect::<Vec<_>>(), [1, 2]);
        assert!(structure(&bytes[..8]).is_none());
        // A list of 2^60 items, a text of 2^40 bytes, and structures without end.
        let mut long = vec![0x19, 0xf5];
        long.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]);
        assert!(structure(&long).is_none());
        assert!(structure(&[0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f]).is_none());
        assert!(structure(&[0x1c; 1000]).is_none());
    }
}
