//! One declaration of a method's parameters: [`parameters!`](crate::parameters) and [`words!`](crate::words).

use super::{ParamError, ParamKind, ParamSpec, ParamValue, Params, Range};

/// A method, or a part that several methods share, whose parameters are declared.
pub trait Declared: for<'a> TryFrom<&'a Params, Error = ParamError> + 'static {
    /// What a sweep file may say of each parameter.
    const PARAMS: &'static [ParamSpec];
}

/// What the type of a declared parameter has to know.
pub trait Parameter: Sized {
    /// What the sweep file may say, before a declaration narrows it.
    const KIND: ParamKind;

    /// The value of the checked parameter `key`.
    ///
    /// # Errors
    /// [`ParamError`] for what no [`ParamKind`] can express.
    fn read(params: &Params, key: &str) -> Result<Self, ParamError>;

    /// The value as a sweep file would say it; `None` for a parameter that is left out.
    fn to_value(&self) -> Option<ParamValue>;
}

/// One of several words, or a number per class.
#[derive(Clone, Debug, PartialEq)]
pub enum PerClass {
    /// The word.
    Word(String),
    /// The numbers, in class order.
    Numbers(Vec<f64>),
}

impl PerClass {
    /// Whether it is this word.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

impl Parameter for PerClass {
    const KIND: ParamKind = ParamKind::Prior(&[]);

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        Ok(match params.get(key) {
            Some(ParamValue::Text(word)) => Self::Word(word.clone()),
            _ => Self::Numbers(params.reals(key)),
        })
    }

    fn to_value(&self) -> Option<ParamValue> {
        Some(match self {
            Self::Word(word) => ParamValue::Text(word.clone()),
            Self::Numbers(numbers) => ParamValue::reals(numbers),
        })
    }
}

/// A list of numbers.
pub type Reals = Vec<f64>;
/// A list of whole numbers.
pub type Wholes = Vec<usize>;
/// A list of texts.
pub type Texts = Vec<String>;
/// A square table, row by row.
pub type Rows = Vec<Vec<f64>>;

// No range reaches as far as i64::MAX, so that a larger number fails its check as well.
fn whole(value: usize) -> ParamValue {
    ParamValue::Whole(i64::try_from(value).unwrap_or(i64::MAX))
}

/// `Parameter` for a type that `Params` has a reader for.
macro_rules! plain {
    ($($type:ty, $kind:expr, $read:ident, $to:expr;)+) => {$(
        impl Parameter for $type {
            const KIND: ParamKind = $kind;

            fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
                Ok(params.$read(key))
            }

            fn to_value(&self) -> Option<ParamValue> {
                Some($to(self))
            }
        }
    )+};
}

plain! {
    f64, ParamKind::Real(Range::FINITE), real, |v: &f64| ParamValue::Real(*v);
    usize, ParamKind::Whole(Range::NON_NEGATIVE), whole, |v: &usize| whole(*v);
    bool, ParamKind::Flag, flag, |v: &bool| ParamValue::Flag(*v);
    String, ParamKind::Text, string, |v: &String| ParamValue::Text(v.clone());
    Texts, ParamKind::Texts, texts,
        |v: &Texts| ParamValue::List(v.iter().cloned().map(ParamValue::Text).collect());
    Reals, ParamKind::Reals(Range::FINITE), reals, |v: &Reals| ParamValue::reals(v);
    Wholes, ParamKind::Wholes(Range::NON_NEGATIVE), wholes,
        |v: &Wholes| ParamValue::List(v.iter().copied().map(whole).collect());
    Rows, ParamKind::Rows(Range::FINITE), rows,
        |v: &Rows| ParamValue::List(v.iter().map(|row| ParamValue::reals(row)).collect());
}

/// A parameter that may be left out.
impl<T: Parameter> Parameter for Option<T> {
    const KIND: ParamKind = T::KIND;

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        params.get(key).map(|_| T::read(params, key)).transpose()
    }

    fn to_value(&self) -> Option<ParamValue> {
        self.as_ref().and_then(T::to_value)
    }
}

/// `value`, after the check that a sweep file's value passes.
///
/// # Panics
/// When `specs` has no parameter `key`, or its specification refuses the value.
#[expect(clippy::panic, reason = "a caller's slip, and said so")]
pub fn checked<T: Parameter>(specs: &[ParamSpec], key: &str, value: T) -> T {
    let spec = specs.iter().find(|spec| spec.name == key);
    let spec = spec.expect("it is declared");
    match value.to_value().map(|value| spec.check(&value)) {
        Some(Err(refused)) => panic!("{refused}"),
        _ => value,
    }
}

/// How many parameters the parts of a declaration have.
pub const fn count(parts: &[&[ParamSpec]]) -> usize {
    let (mut n, mut at) = (0, 0);
    while at < parts.len() {
        n += parts[at].len();
        at += 1;
    }
    n
}

/// The parts of a declaration, one after the other.
///
/// # Panics
/// When they are not `N`: in a constant that is an error of the compiler.
pub const fn joined<const N: usize>(parts: &[&[ParamSpec]]) -> [ParamSpec; N] {
    let mut all = [ParamSpec::optional("", ParamKind::Flag, ""); N];
    let (mut n, mut part) = (0, 0);
    while part < parts.len() {
        let mut at = 0;
        while at < parts[part].len() {
            all[n] = parts[part][at];
            n += 1;
            at += 1;
        }
        part += 1;
    }
    all
}

/// Declares a method's parameters, once: the struct, its defaults, its setters, the specification
/// that sweep files are checked against, the conversion from checked [`Params`](crate::Params), and
/// the table in the documentation.
///
/// A field has help (its doc comment), a type that is a [`Parameter`](crate::Parameter), a default,
/// and where they apply a range (or the words that are taken), values that the contract suites try
/// besides the default, and what these need beside them to have a say. A field without a default
/// is an `Option`, for a parameter that may be left out; one that has to be given is `= required`. Words and other types of a method's own
/// give the default as a sweep file would say it. `field: ..Part` takes in all parameters of a
/// [`Declared`](crate::Declared) part. `check FUNCTION` behind the struct names what looks at the
/// parameters together, a `fn(&Self) -> Result<(), ParamError>`. `struct Name;` is a method without parameters.
///
/// # Errors
/// `TryFrom<&Params>` fails with what [`Parameter::read`](crate::Parameter::read) refuses; a setter
/// panics for a value that the sweep file's check would refuse; a range beside a type that is no
/// number does not compile. That a default passes its own check is a test of each registry.
///
/// # Examples
///
/// ```
/// use counterweight_core::{Declared, Range, parameters, params};
///
/// parameters! {
///     /// Neighbours with a radius.
///     pub struct Around {
///         /// how many neighbours
///         k: usize = 5, in Range::AT_LEAST_ONE, probe [1, 3];
///         /// how far they may be;
///         /// left out: anywhere
///         radius: f64, in Range::POSITIVE;
///         /// whether the row itself counts
///         own: bool = false;
///     }
/// }
///
/// parameters! {
///     /// The same with a say.
///     pub struct Weighed {
///         around: ..Around;
///         /// how much it has to say
///         say: f64 = 1.0, probe [0.5], beside [own: bool = true];
///     }
/// }
///
/// let around = Around::default().k(3).own(true);
/// assert_eq!((around.k, around.radius, around.own), (3, None, true));
/// assert_eq!(Weighed::default().around(around).around.k, 3);
/// assert_eq!(Weighed::PARAMS.len(), 4);
///
/// let given = [("k".to_owned(), counterweight_core::ParamValue::Whole(0))].into();
/// let errors = params::check(Around::PARAMS, &given).unwrap_err();
/// assert_eq!(
///     errors[0].to_string(),
///     "`k`: expected a whole number in [1, inf), found a whole number `0`"
/// );
/// ```
#[macro_export]
macro_rules! parameters {
    (@preset f64 $value:expr) => { $crate::params::Default::Real($value) };
    (@preset usize $value:expr) => { $crate::params::Default::Whole($value) };
    (@preset bool $value:expr) => { $crate::params::Default::Flag($value) };
    (@preset Reals $value:expr) => { $crate::params::Default::Reals(&$value) };
    (@preset Wholes $value:expr) => { $crate::params::Default::Wholes(&$value) };
    (@preset Rows $value:expr) => { $crate::params::Default::Rows(&$value) };
    (@preset $type:ident $value:expr) => { $crate::params::Default::Text($value) };
    (@type $type:ident) => { ::std::option::Option<$type> };
    (@type $type:ident $default:tt) => { $type };
    (@part $field:ident [$about:expr] $part:ident) => { <$part as $crate::Declared>::PARAMS };
    (@part $field:ident [$about:expr] : $type:ident [$($default:tt)?] [$($of:tt)*] [$($tried:tt)*]) => {
        &[$crate::parameters!(
            @new $field [<$type as $crate::Parameter>::KIND $($of)*] [$about] $type $($default)?
        ) $($tried)*]
    };
    (@new $field:ident [$kind:expr] [$about:expr] $type:ident) => {
        $crate::ParamSpec::optional(stringify!($field), $kind, $about)
    };
    (@new $field:ident [$kind:expr] [$about:expr] $type:ident required) => {
        $crate::ParamSpec::required(stringify!($field), $kind, $about)
    };
    (@new $field:ident [$kind:expr] [$about:expr] $type:ident $default:tt) => {
        $crate::ParamSpec::new(
            stringify!($field), $kind, $crate::parameters!(@preset $type $default), $about,
        )
    };
    (@said) => { "" };
    (@said $said:expr) => { concat!("`", stringify!($said), "`") };
    (
        $(#[$attribute:meta])*
        $visible:vis struct $name:ident;
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, Default)]
        $visible struct $name;

        impl $crate::Declared for $name {
            const PARAMS: &'static [$crate::ParamSpec] = &[];
        }

        impl TryFrom<&$crate::Params> for $name {
            type Error = $crate::ParamError;

            fn try_from(_: &$crate::Params) -> Result<Self, $crate::ParamError> {
                Ok(Self)
            }
        }
    };
    (
        $(#[$attribute:meta])*
        $visible:vis struct $name:ident {
            $(
                $(#[doc = $about:literal])*
                $field:ident: $(.. $part:ident)? $($type:ident $(= $default:tt)?
                    $(, in $range:expr)? $(, among $words:expr)? $(, probe [$($probe:expr),+])?
                    $(, beside [$($knob:ident: $kind:ident = $value:expr),+])?)?;
            )+
        }
        $(check $check:path)?
    ) => {
        $(#[$attribute])*
        ///
        /// | name | default | range | what it does |
        /// |---|---|---|---|
        $(#[doc = concat!(
            "| `", stringify!($field), "` | ", $($crate::parameters!(@said $($default)?),)? " | ",
            $($crate::parameters!(@said $($range)? $($words)?),)?
            " |", $($about,)* $("those of `", stringify!($part), "`",)? " |"
        )])+
        #[derive(Clone, Debug)]
        $visible struct $name {
            $($field: $($part)? $($crate::parameters!(@type $type $($default)?))?,)+
        }

        impl $crate::Declared for $name {
            const PARAMS: &'static [$crate::ParamSpec] = {
                const PARTS: &[&[$crate::ParamSpec]] = &[$($crate::parameters!(
                    @part $field [concat!($($about),*).trim_ascii()] $($part)?
                    $(: $type [$($default)?] [$(.within($range))? $(.among($words))?] [
                        $(.probed(&[$($crate::parameters!(@preset $type $probe)),+]))?
                        $(.beside(&[$((stringify!($knob), $crate::parameters!(@preset $kind $value))),+]))?
                    ])?
                ),)+];
                &$crate::params::joined::<{ $crate::params::count(PARTS) }>(PARTS)
            };
        }

        impl $name {
            $($crate::parameters! { @set $field [$($about)*] $($part)? $(: $type $($default)?)? })+
        }

        impl ::std::default::Default for $name {
            fn default() -> Self {
                let specs = <Self as $crate::Declared>::PARAMS;
                let defaults = $crate::params::check(specs, &::std::collections::BTreeMap::new());
                let method = defaults.ok().and_then(|params| Self::try_from(&params).ok());
                method.expect("every parameter has a default that the registry's test builds it from")
            }
        }

        impl TryFrom<&$crate::Params> for $name {
            type Error = $crate::ParamError;

            fn try_from(params: &$crate::Params) -> Result<Self, $crate::ParamError> {
                let method = Self {
                    $($field: $(<$part>::try_from(params)?)? $(
                        <$crate::parameters!(@type $type $($default)?) as $crate::Parameter>::read(
                            params, stringify!($field),
                        )?
                    )?,)+
                };
                $($check(&method)?;)?
                Ok(method)
            }
        }
    };
    (@set $field:ident [$($about:literal)*] $part:ident) => {
        /// The same method, with these.
        #[must_use]
        pub fn $field(mut self, $field: $part) -> Self {
            self.$field = $field;
            self
        }
    };
    (@set $field:ident [$($about:literal)*] : $type:ident $($default:tt)?) => {
        /// The same method, with:
        $(#[doc = $about])*
        ///
        /// # Panics
        /// For a value that a sweep file could not say.
        #[must_use]
        pub fn $field(mut self, value: $type) -> Self {
            let specs = <Self as $crate::Declared>::PARAMS;
            let value = $crate::params::checked(specs, stringify!($field), value);
            self.$field = value.into();
            self
        }
    };
}

/// Declares a parameter that is one of several words: the enum, and what a sweep file says for each of
/// its variants.
///
/// # Examples
///
/// ```
/// use counterweight_core::{ParamKind, Parameter, words};
///
/// words! {
///     /// Who judges.
///     pub enum Jury {
///         /// All of them.
///         All = "all",
///         /// The most frequent class.
///         Mode = "mode",
///     }
/// }
///
/// assert_eq!(Jury::KIND, ParamKind::Choice(&["all", "mode"]));
/// ```
#[macro_export]
macro_rules! words {
    (
        $(#[$attribute:meta])*
        $visible:vis enum $name:ident {
            $($(#[$about:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visible enum $name {
            $($(#[$about])* $variant,)+
        }

        impl $crate::Parameter for $name {
            const KIND: $crate::ParamKind = $crate::ParamKind::Choice(&[$($word),+]);

            fn read(params: &$crate::Params, key: &str) -> Result<Self, $crate::ParamError> {
                match params.text(key) {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::ParamError::new(key, "unknown word")),
                }
            }

            fn to_value(&self) -> Option<$crate::ParamValue> {
                let word = match self { $(Self::$variant => $word,)+ };
                Some($crate::ParamValue::Text(word.to_owned()))
            }
        }
    };
}
