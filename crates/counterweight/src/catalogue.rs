//! The one place where all methods meet.

use counterweight_core::{Catalogue, LearnerEntry};
use counterweight_models::ALL;

#[cfg(not(feature = "sweep"))]
const LEARNERS: &[LearnerEntry] = ALL;

/// Every learner, and the programs of sweep files among them by their id.
#[cfg(feature = "sweep")]
const LEARNERS: &[LearnerEntry] = &{
    use counterweight_core::Entry;
    use counterweight_models::precedes;

    use crate::command;
    let mut all = [const { command::ENTRY }; ALL.len() + 1];
    let mut at = 0;
    while at < ALL.len() {
        let Entry { card, caps, build } = ALL[at];
        let behind = precedes(command::ENTRY.card.id, card.id);
        all[if behind { at + 1 } else { at }] = Entry { card, caps, build };
        at += 1;
    }
    all
};

/// Every method of this workspace. Own ones join it with
/// [`with_learner`](Catalogue::with_learner) and [`with_resampler`](Catalogue::with_resampler).
pub const CATALOGUE: Catalogue = Catalogue {
    resamplers: counterweight_corrections::resample::ALL,
    ensembles: counterweight_corrections::ensemble::ALL,
    losses: counterweight_corrections::loss::ALL,
    decisions: counterweight_corrections::decide::ALL,
    learners: LEARNERS,
    metrics: counterweight_metrics::ALL,
    populations: counterweight_data::populations::ALL,
};
