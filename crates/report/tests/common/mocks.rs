//! A catalogue of methods that have nothing but cards.

use counterweight_core::{
    Card, Catalogue, DecideContext, Decision, DecisionEntry, DecisionNeeds, Entry, Fitted,
    FittedRule, Footprint, Judged, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms,
    Metric, MetricCaps, MetricEntry, ParamKind, ParamSpec, Range, RuleCaps, ScoreKind,
    StageContext, StageError, StageResult, Train,
};

#[derive(Debug)]
struct Mock;

impl Learner for Mock {
    fn fit(
        &self,
        _: &Train,
        _: &LossTerms,
        _: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        Err(StageError::NotApplicable("a mock".into()))
    }
}

impl Metric for Mock {
    fn value(&self, _: &Judged<'_>) -> Result<f64, String> {
        Err("a mock".into())
    }
}

impl Decision for Mock {
    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds::default()
    }

    fn fit(
        &self,
        _: &DecideContext<'_>,
        _: Option<&counterweight_core::Calib>,
    ) -> StageResult<FittedRule> {
        Err(StageError::NotApplicable("a mock".into()))
    }
}

const fn card(id: &'static str, summary: &'static str) -> Card {
    Card {
        id,
        summary,
        reference: "A mock (2026), Journal of Mocks 1, 1-2.",
        params: &[],
    }
}

const fn metric(id: &'static str, also_raw: bool, lower: Option<bool>) -> MetricEntry {
    Entry {
        card: card(id, "a metric"),
        caps: MetricCaps {
            probabilities: also_raw,
            also_raw,
            prior_dependent: also_raw,
            lower_is_better: lower,
        },
        build: |_| Ok(Box::new(Mock)),
    }
}

const fn learner(id: &'static str, library: &'static str, scores: ScoreKind) -> LearnerEntry {
    Entry {
        card: card(id, "a learner"),
        caps: LearnerCaps {
            library,
            honours: LossNeeds {
                weights: true,
                margins: true,
                factors: true,
                focal: true,
                ..LossNeeds::NONE
            },
            scores,
            multiclass: true,
            deterministic: true,
            max_rows: None,
            cost: |_, _| 1.0,
            remark: "",
            footprint: |_, _| Footprint::NONE,
        },
        build: |_| Ok(Box::new(Mock)),
    }
}

static METRICS: &[MetricEntry] = &[
    metric("balanced_error", false, Some(true)),
    metric("error_rate", false, Some(true)),
    metric("macro_f1", false, Some(false)),
    metric("mcc", false, Some(false)),
    metric("brier", true, Some(true)),
    metric("log_loss", true, Some(true)),
    metric("ece", true, Some(true)),
    metric("mutual_information", false, Some(false)),
];
static LEARNERS: &[LearnerEntry] = &[
    learner("gaussian-naive-bayes", "own", ScoreKind::Probability),
    learner("mlp", "own", ScoreKind::Probability),
    learner(
        "smartcore-random-forest",
        "smartcore 0.7.0",
        ScoreKind::Vote,
    ),
    learner("softmax-regression", "own", ScoreKind::Probability),
];
static TAU: &[ParamSpec] = &[ParamSpec::new(
    "tau",
    ParamKind::Real(Range::NON_NEGATIVE),
    counterweight_core::params::Default::Real(1.0),
    "strength of the adjustment",
)];
static DECISIONS: &[DecisionEntry] = &[Entry {
    card: Card {
        id: "logit-adjust",
        summary: "argmax of the log-scores minus tau times the log prior",
        reference: "Menon et al. (2021), ICLR.",
        params: TAU,
    },
    caps: RuleCaps {
        family: "logit-adjustment",
    },
    build: |_| Ok(Box::new(Mock)),
}];

/// All of them.
pub(crate) static CATALOGUE: Catalogue = Catalogue {
    resamplers: &[],
    ensembles: &[],
    losses: &[],
    decisions: DECISIONS,
    learners: LEARNERS,
    metrics: METRICS,
    populations: &[],
};
