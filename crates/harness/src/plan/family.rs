//! The family of a correction.

use crate::config::method::Built;
use crate::config::sweep::Correction;

impl Correction {
    /// The contract's `family`: `none` for identities, the stage's own family for one stage,
    /// `combination` for more.
    pub fn family(&self) -> &'static str {
        let resample = self.resample.as_ref().map(|built| built.entry.caps.family);
        let ensemble = self.ensemble.as_ref().map(|built| built.entry.caps.family);
        let loss =
            (self.loss.entry.card.id != "cross-entropy").then_some(self.loss.entry.caps.family);
        let decide = (self.decide.entry.card.id != "argmax").then(|| {
            // What follows a calibration gives the correction its family.
            let own = self.decide.method.family();
            own.unwrap_or(self.decide.entry.caps.family)
        });
        let stages: Vec<&'static str> = [resample, ensemble, loss, decide]
            .into_iter()
            .flatten()
            .collect();
        match stages.as_slice() {
            [] => "none",
            [one] => one,
            _ => "combination",
        }
    }

    /// The three stages with all their parameters: two corrections with the same text do the same.
    /// An ensemble stands in the place of the resampler, since both decide which rows are learnt from.
    pub fn canonical(&self) -> String {
        format!(
            "{} > {} > {}",
            self.rows_canonical(),
            self.loss.canonical(),
            self.decide.canonical()
        )
    }

    /// The resampler or the ensemble with all its parameters, or `none`: the `resample` column.
    pub(crate) fn rows_canonical(&self) -> String {
        let resample = self.resample.as_ref().map(Built::canonical);
        let ensemble = self.ensemble.as_ref().map(Built::canonical);
        resample.or(ensemble).unwrap_or_else(|| "none".to_owned())
    }
}
