//! One declaration of a method's parameters: [`parameters!`](crate::parameters).

use super::{ParamError, ParamKind, ParamSpec, ParamValue, Params, Range};

/// What the type of a declared parameter has to know.
pub trait Parameter: Sized {
    /// What the sweep file may say, before a declaration narrows it by `in RANGE`.
    const KIND: ParamKind;

    /// The value of the checked parameter `key`.
    ///
    /// # Errors
    /// [`ParamError`] for what no [`ParamKind`] can express.
    fn read(params: &Params, key: &str) -> Result<Self, ParamError>;

    /// The value as a sweep file would say it.
    fn to_value(&self) -> ParamValue;
}

impl Parameter for f64 {
    const KIND: ParamKind = ParamKind::Real(Range::FINITE);

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        Ok(params.real(key))
    }

    fn to_value(&self) -> ParamValue {
        ParamValue::Real(*self)
    }
}

impl Parameter for usize {
    const KIND: ParamKind = ParamKind::Whole(Range::NON_NEGATIVE);

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        Ok(params.whole(key))
    }

    fn to_value(&self) -> ParamValue {
        // No range reaches as far as i64::MAX, so that a larger number fails its check as well.
        ParamValue::Whole(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl Parameter for bool {
    const KIND: ParamKind = ParamKind::Flag;

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        Ok(params.flag(key))
    }

    fn to_value(&self) -> ParamValue {
        ParamValue::Flag(*self)
    }
}

/// `value`, after the check that a sweep file's value passes.
///
/// # Panics
/// When `specs` has no parameter `key`, or its specification refuses the value.
#[expect(clippy::panic, reason = "a caller's slip, and said so")]
pub fn checked<T: Parameter>(specs: &[ParamSpec], key: &str, value: T) -> T {
    let spec = specs.iter().find(|spec| spec.name == key);
    let found = spec.expect("it is declared").check(&value.to_value());
    found.map_or_else(|refused| panic!("{refused}"), |_| value)
}

/// Declares a method's parameters, once: the struct, its defaults, its setters, the specification
/// that sweep files are checked against, the conversion from checked [`Params`](crate::Params), and
/// the table in the documentation.
///
/// A field has help (its doc comment), a type that is a [`Parameter`](crate::Parameter), a default,
/// and where they apply a range and values that the contract suites try besides the default. Words
/// and other types of a method's own give the default as a sweep file would say it, as text.
///
/// # Errors
/// `TryFrom<&Params>` fails with what [`Parameter::read`](crate::Parameter::read) refuses; a setter
/// panics for a value that the sweep file's check would refuse; a range beside a type that is no
/// number does not compile. That a default passes its own check is a test of each registry.
///
/// # Examples
///
/// ```
/// use counterweight_core::{Range, parameters, params};
///
/// parameters! {
///     /// Neighbours with a radius.
///     pub struct Around {
///         /// how many neighbours
///         k: usize = 5, in Range::AT_LEAST_ONE, probe [1, 3];
///         /// how far they may be
///         radius: f64 = 1.0, in Range::POSITIVE;
///         /// whether the row itself counts
///         own: bool = false;
///     }
/// }
///
/// let around = Around::default().k(3).own(true);
/// assert_eq!((around.k, around.radius, around.own), (3, 1.0, true));
///
/// let given = [("k".to_owned(), counterweight_core::ParamValue::Whole(0))].into();
/// let errors = params::check(Around::SPECS, &given).unwrap_err();
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
    (@preset $type:ident $value:expr) => { $crate::params::Default::Text($value) };
    (@range) => { "" };
    (@range $range:expr) => { concat!("`", stringify!($range), "`") };
    (
        $(#[$attribute:meta])*
        $visible:vis struct $name:ident {
            $(
                $(#[doc = $about:literal])+
                $field:ident: $type:ident = $default:expr
                    $(, in $range:expr)? $(, probe [$($probe:expr),+])?;
            )+
        }
    ) => {
        $(#[$attribute])*
        ///
        /// | name | default | range | what it does |
        /// |---|---|---|---|
        $(#[doc = concat!(
            "| `", stringify!($field), "` | `", stringify!($default), "` | ",
            $crate::parameters!(@range $($range)?), " |", $($about,)+ " |"
        )])+
        #[derive(Clone, Debug, PartialEq)]
        $visible struct $name {
            $($field: $type,)+
        }

        impl $name {
            /// What a sweep file may say of each parameter.
            pub const SPECS: &'static [$crate::ParamSpec] = &[$(
                $crate::ParamSpec::new(
                    stringify!($field),
                    <$type as $crate::Parameter>::KIND $(.within($range))?,
                    $crate::parameters!(@preset $type $default),
                    concat!($($about),+).trim_ascii(),
                )
                $(.probed(&[$($crate::parameters!(@preset $type $probe)),+]))?,
            )+];

            $(
                /// The same method, with:
                $(#[doc = $about])+
                ///
                /// # Panics
                /// For a value that a sweep file could not say.
                #[must_use]
                pub fn $field(mut self, value: $type) -> Self {
                    self.$field = $crate::params::checked(Self::SPECS, stringify!($field), value);
                    self
                }
            )+
        }

        impl ::std::default::Default for $name {
            fn default() -> Self {
                let defaults = $crate::params::check(Self::SPECS, &::std::collections::BTreeMap::new());
                let method = defaults.ok().and_then(|params| Self::try_from(&params).ok());
                method.expect("the registry's test builds every method from its defaults")
            }
        }

        impl TryFrom<&$crate::Params> for $name {
            type Error = $crate::ParamError;

            fn try_from(params: &$crate::Params) -> Result<Self, $crate::ParamError> {
                Ok(Self {
                    $($field: $crate::Parameter::read(params, stringify!($field))?,)+
                })
            }
        }
    };
}
