//! The analysis as figures.

use crate::analysis::{Analysis, RatioCurve};
use crate::error::{ReportError, Result};
use crate::view::file_name;
use crate::plots::{
    Figure, Measure, PlotError, RatioCurves, RatioLine, RatioPanel, RatioPoint, Theme, ratio_curves,
};

/// A figure with its file name.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// File name without its ending.
    pub(crate) name: String,
    /// What a reader has to know beyond its description; ids between backticks.
    pub(crate) note: String,
    /// The figure.
    pub(crate) figure: Figure,
}

/// Most subjects (populations, datasets) that get a ratio figure of their own.
const MOST_SUBJECTS: usize = 12;

pub(crate) fn figures(analysis: &Analysis) -> Result<Vec<Placed>> {
    let mut figures = Figures::new(analysis);
    figures.ratios()?;
    Ok(figures.placed)
}

struct Figures<'a> {
    analysis: &'a Analysis,
    theme: Theme,
    placed: Vec<Placed>,
}

impl<'a> Figures<'a> {
    fn new(analysis: &'a Analysis) -> Self {
        let order: Vec<String> = analysis.corrections.iter().map(|c| c.id.clone()).collect();
        let mut theme = Theme::page().with_order(&order);
        if let Some(baseline) = analysis.baseline {
            analysis
                .correction(baseline)
                .clone_into(&mut theme.baseline);
        }
        Self {
            analysis,
            theme,
            placed: Vec::new(),
        }
    }

    fn add(
        &mut self,
        name: &str,
        note: &str,
        draw: impl FnOnce(&Theme) -> std::result::Result<Figure, PlotError>,
    ) -> Result<()> {
        let theme = self.theme.clone().with_prefix(name);
        let figure = draw(&theme).map_err(|source| ReportError::Figure {
            figure: name.to_owned(),
            reason: source.to_string(),
        })?;
        self.placed.push(Placed { note: note.to_owned(),
            name: name.to_owned(),
            figure,
        });
        Ok(())
    }

    /// Ratio against balanced error: one figure a subject, one panel a model.
    fn ratios(&mut self) -> Result<()> {
        let mut subjects: Vec<(&str, &str, usize)> = Vec::new();
        for curve in &self.analysis.ratios.curves {
            let subject = (
                curve.subject.as_str(),
                curve.profile.as_str(),
                curve.n_datasets,
            );
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        // Populations, then what many datasets have in common, then single datasets.
        let single = |subject: &(&str, &str, usize)| {
            self.analysis
                .ratios
                .curves
                .iter()
                .any(|c| c.subject == subject.0 && !c.synthetic && c.n_datasets == 1)
        };
        subjects.sort_by_key(single);
        let several = subjects.len() > subjects.iter().filter(|s| single(s)).count();
        // Single real datasets only where nothing else shows the ratio.
        subjects.retain(|subject| !several || !single(subject));
        subjects.truncate(MOST_SUBJECTS);
        let curves = &self.analysis.ratios.curves;
        let plans: Vec<(String, RatioCurves)> = subjects
            .iter()
            .map(|(subject, profile, n)| {
                let own: Vec<&RatioCurve> = curves
                    .iter()
                    .filter(|c| {
                        (c.subject.as_str(), c.profile.as_str(), c.n_datasets)
                            == (*subject, *profile, *n)
                    })
                    .collect();
                let name = format!("ratio_{}_{profile}", file_name(subject));
                (name, ratio_data(self.analysis, &own))
            })
            .collect();
        let note = "Bands are 95 % t intervals over repeats and folds.";
        for (name, data) in plans {
            self.add(&name, note, |theme| ratio_curves(&data, theme))?;
        }
        Ok(())
    }
}

fn ratio_data(analysis: &Analysis, curves: &[&RatioCurve]) -> RatioCurves {
    let mut panels = Vec::new();
    for model in 0..analysis.models.len() {
        let own: Vec<&&RatioCurve> = curves.iter().filter(|curve| curve.model == model).collect();
        let Some(first) = own.first() else { continue };
        let bayes = own.iter().max_by_key(|curve| curve.bayes.len());
        panels.push(RatioPanel {
            model: analysis.model(model).to_owned(),
            note: first.subject.clone(),
            lines: own
                .iter()
                .map(|curve| RatioLine {
                    correction: analysis.correction(curve.correction).to_owned(),
                    points: curve
                        .points
                        .iter()
                        .map(|point| RatioPoint {
                            ratio: point.ratio,
                            value: point.mean,
                            band: point.band,
                        })
                        .collect(),
                })
                .collect(),
            bayes: bayes.map(|curve| curve.bayes.clone()).unwrap_or_default(),
        });
    }
    RatioCurves {
        measure: Measure::BalancedError,
        panels,
    }
}

