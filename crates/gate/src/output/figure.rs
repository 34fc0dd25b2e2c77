//! Ranks before and after, as a slope chart a model.

use std::fmt::Write as _;

use crate::error::{GateError, Result};
use crate::result::{ArmStatus, Gate};
use counterweight_plots::{Figure, RankChange, RankSlope, Theme, rank_slope};

/// Letters of a file's name, of 255 that file systems take.
const LONGEST: usize = 120;

/// A chart for each model whose ranks moved, named `gate-ranks-MODEL`. Coloured are the corrections that
/// regressed, improved or stand in a flipped pair.
///
/// # Errors
/// [`GateError::Figure`] when a chart cannot be drawn.
pub fn rank_figures(gate: &Gate) -> Result<Vec<(String, Figure)>> {
    let mut figures = Vec::new();
    for (at, model) in gate.models.iter().enumerate() {
        if model
            .rows
            .iter()
            .all(|row| (row.rank_after - row.rank_before).abs() < 1e-9)
        {
            continue;
        }
        let counts = |correction: &str| {
            let arm = gate.arms.iter().find(|arm| {
                arm.model == model.model
                    && arm.correction == correction
                    && matches!(arm.status, ArmStatus::Regressed | ArmStatus::Improved)
            });
            let flip = model
                .flips
                .iter()
                .any(|flip| flip.was_better == correction || flip.now_better == correction);
            arm.is_some() || flip
        };
        let data = RankSlope {
            before: "baseline".into(),
            after: "now".into(),
            methods: model
                .rows
                .iter()
                .map(|row| RankChange {
                    correction: row.correction.clone(),
                    before: Some(row.rank_before),
                    after: Some(row.rank_after),
                    changed: counts(&row.correction),
                })
                .collect(),
        };
        let mut name = format!("gate-ranks-{}", model.model);
        if name.len() > LONGEST {
            name.truncate(LONGEST);
            let _infallible = write!(name, "-{at}");
        }
        let figure = rank_slope(&data, &Theme::page()).map_err(|source| GateError::Figure {
            figure: name.clone(),
            source,
        })?;
        figures.push((name, figure));
    }
    Ok(figures)
}
