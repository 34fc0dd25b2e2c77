//! Text and tables of numbers that many records share.
//!
//! A sweep of a million cells names the same few datasets, models, stages and metrics over and over.
//! A [`Name`] is kept once for the whole process and a record holds a pointer to it; [`Numbers`] keep
//! the names of their entries once for all records that have the same ones. A record of a cell then
//! takes some 600 bytes instead of 2,400.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

static TEXTS: Mutex<BTreeSet<Arc<str>>> = Mutex::new(BTreeSet::new());
static LAYOUTS: Mutex<BTreeSet<Arc<[Name]>>> = Mutex::new(BTreeSet::new());

/// The one copy of `value` in `pool`. A panic cannot leave a set half changed, so a poisoned lock is
/// still sound.
fn pooled<T: ?Sized + Ord>(pool: &Mutex<BTreeSet<Arc<T>>>, value: &T) -> Arc<T>
where
    for<'a> Arc<T>: From<&'a T> + Borrow<T>,
{
    let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = pool.get(value) {
        return Arc::clone(known);
    }
    let new: Arc<T> = Arc::from(value);
    pool.insert(Arc::clone(&new));
    new
}

/// A text that is kept once for the whole process. It reads, compares and is written like a `str`.
///
/// Cost: making one is a search among all names, O(log n); a copy is free.
///
/// # Examples
/// ```
/// use counterweight_core::Name;
/// let (a, b) = (Name::from("yeast"), Name::from(String::from("yeast")));
/// assert_eq!(a, b);
/// assert_eq!(a, "yeast");
/// assert!(a.starts_with("ye"));
/// ```
#[derive(Clone)]
pub struct Name(Arc<str>);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Name {
    fn default() -> Self {
        Self::from("")
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(pooled(&TEXTS, text))
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Name {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl From<&Name> for String {
    fn from(name: &Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        // One copy of each text: equal texts are the same.
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl PartialEq<String> for Name {
    fn eq(&self, other: &String) -> bool {
        &*self.0 == other.as_str()
    }
}

impl PartialEq<Name> for str {
    fn eq(&self, other: &Name) -> bool {
        self == &*other.0
    }
}

impl PartialEq<Name> for &str {
    fn eq(&self, other: &Name) -> bool {
        *self == &*other.0
    }
}

impl PartialEq<Name> for String {
    fn eq(&self, other: &Name) -> bool {
        self.as_str() == &*other.0
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::from(text.as_ref()))
    }
}

/// Numbers by name, in the order of the names; written as a map. What [`BTreeMap`] does, with the
/// names kept once for all that have the same ones.
///
/// Cost: a look-up is O(log n). [`Numbers::insert`] of a new name is O(n) and a search among all
/// layouts, so many at once are better collected.
///
/// # Examples
/// ```
/// use counterweight_core::Numbers;
/// let numbers: Numbers = [("b", 2.0), ("a", 1.0)].into_iter().collect();
/// assert_eq!(numbers.get("a"), Some(&1.0));
/// assert_eq!(numbers.keys().collect::<Vec<_>>(), ["a", "b"]);
/// ```
#[derive(Clone, PartialEq)]
pub struct Numbers {
    layout: Arc<[Name]>,
    values: Box<[f64]>,
}

impl Numbers {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self {
            layout: pooled(&LAYOUTS, &[]),
            values: Box::default(),
        }
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.layout
            .binary_search_by(|known| known.as_str().cmp(name))
    }

    /// The number called `name`.
    pub fn get(&self, name: &str) -> Option<&f64> {
        self.values.get(self.place(name).ok()?)
    }

    /// The number called `name`, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut f64> {
        let place = self.place(name).ok()?;
        self.values.get_mut(place)
    }

    /// Whether there is one called `name`.
    pub fn contains_key(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    /// Sets the number called `name`, and returns what it was.
    pub fn insert(&mut self, name: impl Into<Name>, value: f64) -> Option<f64> {
        let name = name.into();
        match self.place(&name) {
            Ok(place) => {
                let was = self.values.get_mut(place)?;
                Some(std::mem::replace(was, value))
            }
            Err(_new) => {
                *self = self.iter().chain([(&name, &value)]).collect();
                None
            }
        }
    }

    /// Removes the number called `name`, and returns it.
    pub fn remove(&mut self, name: &str) -> Option<f64> {
        let was = self.get(name).copied()?;
        *self = self
            .iter()
            .filter(|(other, _)| other.as_str() != name)
            .collect();
        Some(was)
    }

    /// Removes all.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Their number.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The names, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &Name> {
        self.layout.iter()
    }

    /// The numbers, in the order of their names.
    pub fn values(&self) -> impl Iterator<Item = &f64> {
        self.values.iter()
    }

    /// Names and numbers, sorted by name.
    pub fn iter(&self) -> std::iter::Zip<std::slice::Iter<'_, Name>, std::slice::Iter<'_, f64>> {
        self.layout.iter().zip(&self.values)
    }
}

impl<'a> IntoIterator for &'a Numbers {
    type Item = (&'a Name, &'a f64);
    type IntoIter = std::iter::Zip<std::slice::Iter<'a, Name>, std::slice::Iter<'a, f64>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The last of several with one name stays.
impl<N: Into<Name>, V: Borrow<f64>> FromIterator<(N, V)> for Numbers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(items: I) -> Self {
        let mut items: Vec<(Name, f64)> = items
            .into_iter()
            .map(|(name, value)| (name.into(), *value.borrow()))
            .collect();
        items.sort_by(|a, b| a.0.cmp(&b.0));
        // Stable, so the last of equals is the last given.
        let mut kept: Vec<(Name, f64)> = Vec::with_capacity(items.len());
        for item in items {
            match kept.last_mut() {
                Some(last) if last.0 == item.0 => *last = item,
                _ => kept.push(item),
            }
        }
        let (names, values): (Vec<Name>, Vec<f64>) = kept.into_iter().unzip();
        Self {
            layout: pooled(&LAYOUTS, names.as_slice()),
            values: values.into(),
        }
    }
}

impl<N: Into<Name>> Extend<(N, f64)> for Numbers {
    fn extend<I: IntoIterator<Item = (N, f64)>>(&mut self, items: I) {
        let items = items.into_iter().map(|(name, value)| (name.into(), value));
        let known = self.iter().map(|(name, value)| (name.clone(), *value));
        *self = known.chain(items).collect();
    }
}

impl From<&Name> for Name {
    fn from(name: &Name) -> Self {
        name.clone()
    }
}

impl<K: Into<Name> + Clone> From<&BTreeMap<K, f64>> for Numbers {
    fn from(map: &BTreeMap<K, f64>) -> Self {
        map.iter()
            .map(|(name, value)| (name.clone(), *value))
            .collect()
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What is not finite is written as `null`, since JSON has no word for it, and is left out.
        let map = BTreeMap::<Name, Option<f64>>::deserialize(deserializer)?;
        let finite = map.into_iter().filter_map(|(name, x)| Some((name, x?)));
        Ok(finite.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one() {
        let (a, b) = (
            Name::from("x[tau=0.5]"),
            Name::from("x[tau=0.5]".to_owned()),
        );
        assert!(Arc::ptr_eq(&a.0, &b.0));
        assert_eq!(a, b);
        let mut sorted = [Name::from("b"), Name::from("a"), Name::default()];
        sorted.sort();
        assert_eq!(sorted.map(String::from), ["", "a", "b"]);
        let text = serde_json::to_string(&a).unwrap();
        assert_eq!(text, "\"x[tau=0.5]\"");
        let escaped: Name = serde_json::from_str("\"a\\nb\"").unwrap();
        assert_eq!(escaped, "a\nb");
        assert_eq!(
            format!("{:>3}|{:?}", Name::from("a"), Name::from("b")),
            "  a|\"b\""
        );
    }

    #[test]
    fn numbers_are_a_map() {
        let mut numbers = Numbers::new();
        assert!(numbers.is_empty() && numbers.get("a").is_none());
        assert_eq!(numbers.insert("b", 2.0), None);
        assert_eq!(numbers.insert("a".to_owned(), 1.0), None);
        assert_eq!(numbers.insert("b", 3.0), Some(2.0));
        assert_eq!((numbers.len(), numbers.get("b")), (2, Some(&3.0)));
        let same: Numbers = [("b", 9.0), ("a", 1.0), ("b", 3.0)].into_iter().collect();
        assert_eq!(numbers, same);
        assert!(Arc::ptr_eq(&numbers.layout, &same.layout));
        let text = serde_json::to_string(&numbers).unwrap();
        assert_eq!(text, "{\"a\":1.0,\"b\":3.0}");
        assert_eq!(serde_json::from_str::<Numbers>(&text).unwrap(), numbers);
        assert_eq!(numbers.remove("a"), Some(1.0));
        assert_eq!(numbers.remove("a"), None);
        *numbers.get_mut("b").unwrap() += 1.0;
        assert_eq!(numbers.values().copied().collect::<Vec<_>>(), [4.0]);
        numbers.clear();
        assert_eq!(numbers, Numbers::default());
    }
}
