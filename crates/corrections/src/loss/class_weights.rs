//! Class weights from the rows of each class: what `weighted` is, and what other losses may add.

use counterweight_core::params::Default;
use counterweight_core::{
    ClassCounts, Declared, ParamError, ParamKind, ParamSpec, Params, Range, StageError, StageResult,
};

use super::scaled;

const BETA: f64 = 0.999;

/// How the weight of a class follows from its number of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// 1 for every class.
    Even,
    /// `1 / n_y`.
    InverseFrequency,
    /// `n_y^(-1/2)`.
    InverseSqrt,
    /// `(1 - beta) / (1 - beta^n_y)`.
    EffectiveNumber {
        /// Overlap of rows.
        beta: f64,
    },
    /// As given, one a class.
    Explicit(Vec<f64>),
}

/// The `scheme` parameter of a loss whose weights are the point.
const SCHEME: ParamSpec = ParamSpec::new(
    "scheme",
    ParamKind::Choice(&[
        "inverse-frequency",
        "inverse-sqrt",
        "effective-number",
        "explicit",
    ]),
    Default::Text("inverse-frequency"),
    "how the weight of a class follows from its number of rows",
)
.probed(&[
    Default::Text("inverse-sqrt"),
    Default::Text("effective-number"),
]);

/// The `scheme` parameter of a loss that has no weights unless asked.
const OPTIONAL_SCHEME: ParamSpec = ParamSpec::new(
    "scheme",
    ParamKind::Choice(&[
        "none",
        "inverse-frequency",
        "inverse-sqrt",
        "effective-number",
        "explicit",
    ]),
    Default::Text("none"),
    "class weights beside the loss, as of `weighted`",
)
.probed(&[
    Default::Text("inverse-frequency"),
    Default::Text("inverse-sqrt"),
    Default::Text("effective-number"),
]);

/// The `beta` parameter.
const BETA_SPEC: ParamSpec = ParamSpec::new(
    "beta",
    ParamKind::Real(Range::UNIT_BELOW_ONE),
    Default::Real(BETA),
    "overlap of rows, for scheme `effective-number` only",
);

/// The `weights` parameter.
const WEIGHTS_SPEC: ParamSpec = ParamSpec::optional(
    "weights",
    ParamKind::Reals(Range::NON_NEGATIVE),
    "a weight per class in class order, for scheme `explicit` only",
);

impl Declared for ClassWeights {
    const PARAMS: &'static [ParamSpec] = &[SCHEME, BETA_SPEC, WEIGHTS_SPEC];
}

/// The weights of a loss that has none unless asked.
#[derive(Clone, Debug)]
pub struct Beside(pub(super) ClassWeights);

impl Declared for Beside {
    const PARAMS: &'static [ParamSpec] = &[OPTIONAL_SCHEME, BETA_SPEC, WEIGHTS_SPEC];
}

impl TryFrom<&Params> for Beside {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        ClassWeights::try_from(params).map(Self)
    }
}

impl TryFrom<&Params> for ClassWeights {
    type Error = ParamError;

    /// Reads `scheme`, `beta` and `weights`.
    fn try_from(params: &Params) -> Result<Self, ParamError> {
        let beta = params.real("beta");
        let weights = params.reals("weights");
        let scheme = match params.text("scheme") {
            "none" => Self::Even,
            "inverse-sqrt" => Self::InverseSqrt,
            "effective-number" => Self::EffectiveNumber { beta },
            "explicit" => Self::Explicit(weights.clone()),
            _ => Self::InverseFrequency,
        };
        // A knob that turns nothing would be a grid of equal arms.
        if !matches!(scheme, Self::EffectiveNumber { .. }) && (beta - BETA).abs() > 0.0 {
            return Err(ParamError {
                hint: Some("add `scheme = \"effective-number\"` or leave `beta` out".into()),
                ..ParamError::new("beta", "has a meaning only for scheme `effective-number`")
            });
        }
        match &scheme {
            Self::Explicit(given) if given.is_empty() => Err(ParamError {
                hint: Some("add `weights = [...]`, one a class in class order".into()),
                ..ParamError::new("weights", "missing for scheme `explicit`")
            }),
            Self::Explicit(given) if given.iter().all(|&w| w <= 0.0) => {
                Err(ParamError::new("weights", "all weights are 0"))
            }
            Self::Explicit(_) => Ok(scheme),
            _ if weights.is_empty() => Ok(scheme),
            _ => Err(ParamError {
                hint: Some("add `scheme = \"explicit\"` or leave `weights` out".into()),
                ..ParamError::new("weights", "has a meaning only for scheme `explicit`")
            }),
        }
    }
}

impl ClassWeights {
    /// Whether any weight can differ from 1.
    pub(crate) fn uneven(&self) -> bool {
        *self != Self::Even
    }

    /// The weights for these rows: scaled so that the weights of all rows sum to their number, unless
    /// they are explicit. What stands for absent classes is not looked at.
    ///
    /// # Errors
    /// [`StageError::Failed`] when explicit weights do not fit the classes.
    pub(crate) fn of(&self, seen: &ClassCounts) -> StageResult<Vec<f64>> {
        let of_counts = |log_weight: &dyn Fn(f64) -> f64| {
            let logs: Vec<f64> = seen.masses().into_iter().map(log_weight).collect();
            scaled(seen, &logs)
        };
        Ok(match self {
            Self::Even => vec![1.0; seen.n_classes()],
            Self::InverseFrequency => inverse_frequency(seen),
            Self::InverseSqrt => of_counts(&|n| -0.5 * n.ln()),
            // 1 - beta^n without the cancellation that costs all digits for beta near 1.
            Self::EffectiveNumber { beta } => of_counts(&|n| -(-(n * beta.ln()).exp_m1()).ln()),
            Self::Explicit(given) => explicit(given, seen)?,
        })
    }
}

/// `n / (K n_y)`: the closed form of the scaled scheme, to the last bit of scikit-learn's.
fn inverse_frequency(seen: &ClassCounts) -> Vec<f64> {
    let (n, present) = (seen.total() as f64, seen.n_present() as f64);
    let weight = |&mass: &f64| {
        if mass > 0.0 {
            n / (present * mass)
        } else {
            0.0
        }
    };
    seen.masses().iter().map(weight).collect()
}

fn explicit(given: &[f64], seen: &ClassCounts) -> StageResult<Vec<f64>> {
    if given.len() != seen.n_classes() {
        return Err(StageError::Failed(format!(
            "`weights` has {} numbers for {} classes; give one a class, in class order",
            given.len(),
            seen.n_classes()
        )));
    }
    let counted = given
        .iter()
        .zip(seen.as_slice())
        .any(|(&w, &n)| w > 0.0 && n > 0);
    if seen.total() > 0 && !counted {
        return Err(StageError::Failed(
            "every class that has rows has weight 0; raise one of `weights`".into(),
        ));
    }
    Ok(given.to_vec())
}
