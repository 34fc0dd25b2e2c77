//! Typed setters of learners that are made of their checked parameters as a whole.

use std::collections::BTreeMap;

use counterweight_core::{ParamError, ParamSpec, ParamValue, Parameter, Params, params};

/// A value that a parameter is set to.
pub(crate) trait Setting {
    fn to_param(self) -> ParamValue;
}

macro_rules! setting {
    ($($type:ty),+) => {$(
        impl Setting for $type {
            fn to_param(self) -> ParamValue {
                self.to_value().expect("only an absent `Option` has no value")
            }
        }
    )+};
}

setting!(f64, usize, bool, Vec<usize>);

/// One of a parameter's words.
impl Setting for &'static str {
    fn to_param(self) -> ParamValue {
        ParamValue::Text(self.to_owned())
    }
}

/// The learner at the defaults of these parameters.
pub(crate) fn at_defaults<T: for<'a> TryFrom<&'a Params, Error = ParamError>>(
    specs: &'static [ParamSpec],
) -> T {
    let defaults = params::check(specs, &BTreeMap::new()).ok();
    let made = defaults.and_then(|params| T::try_from(&params).ok());
    made.expect("every parameter has a default, which the registry's test builds the learner from")
}

/// The learner of `given` with one parameter changed.
#[expect(clippy::panic, reason = "a caller's slip, and said so")]
pub(crate) fn set<T: for<'a> TryFrom<&'a Params, Error = ParamError>>(
    specs: &'static [ParamSpec],
    given: &Params,
    (key, value): (&'static str, impl Setting),
) -> T {
    let value = value.to_param();
    let old = |spec: &ParamSpec| Some((spec.name.to_owned(), given.get(spec.name)?.clone()));
    let mut all: BTreeMap<String, ParamValue> = specs.iter().filter_map(old).collect();
    all.insert(key.to_owned(), value);
    let made = params::check(specs, &all).map_err(|mut errors| errors.swap_remove(0));
    match made.and_then(|params| T::try_from(&params)) {
        Ok(made) => made,
        Err(refused) => panic!("{refused}"),
    }
}

/// `Default` and a setter a parameter, for a learner whose field `given` holds its parameters.
macro_rules! settable {
    ($name:ident { $($key:ident: $type:ty),+ $(,)? }) => {
        impl ::std::default::Default for $name {
            fn default() -> Self {
                $crate::shared::settable::at_defaults(ENTRY.card.params)
            }
        }

        impl $name {
            $(
                #[doc = concat!("The same learner with this `", stringify!($key), "`; the module lists what it does.")]
                ///
                /// # Panics
                /// For a value that a sweep file could not say.
                #[must_use]
                pub fn $key(self, value: $type) -> Self {
                    let change = (stringify!($key), value);
                    $crate::shared::settable::set(ENTRY.card.params, &self.given, change)
                }
            )+
        }

        #[cfg(test)]
        #[test]
        fn every_parameter_has_a_setter() {
            let keys = [$(stringify!($key)),+];
            for spec in ENTRY.card.params {
                assert!(keys.contains(&spec.name), "{}", spec.name);
            }
        }
    };
}
pub(crate) use settable;
