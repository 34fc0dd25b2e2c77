//! Ranks of methods over datasets, with their tests, in one expression.

use std::fmt::Display;

use counterweight_stats::{
    BlockDesign, CompleteTable, Dataset, Direction, Friedman, Pairwise, PairwiseOptions, Result,
    TieCorrection, friedman, mean_ranks, pairwise,
};

/// Methods ranked on each of several datasets: Friedman's test over all, Holm-corrected Wilcoxon tests of the pairs.
#[derive(Clone, Debug)]
pub struct Ranks {
    names: Vec<String>,
    means: Vec<f64>,
    friedman: Friedman,
    pairs: Pairwise,
    cliques: Vec<Vec<usize>>,
}

impl Ranks {
    /// Of scores, of which more is better: for each method its name and a value for each dataset, in the same order.
    ///
    /// # Errors
    /// [`StatsError`](crate::StatsError) for fewer than two methods or datasets, lengths that differ, names that do not, or values that are
    /// not finite.
    ///
    /// # Examples
    /// ```
    /// let auroc = [("smote", [0.71, 0.64, 0.90, 0.55]), ("none", [0.72, 0.66, 0.91, 0.57])];
    /// let ranks = counterweight::Ranks::of(&auroc)?;
    /// assert_eq!(ranks.mean_ranks(), [("none", 1.0), ("smote", 2.0)]);
    /// assert!(ranks.friedman().p_value < 0.05);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of<N: Display, V: AsRef<[f64]>>(scores: &[(N, V)]) -> Result<Self> {
        Self::ranked(scores, Direction::HigherIsBetter)
    }

    /// Of errors, of which less is better; else as [`of`](Self::of).
    ///
    /// # Errors
    /// As there.
    pub fn of_errors<N: Display, V: AsRef<[f64]>>(errors: &[(N, V)]) -> Result<Self> {
        Self::ranked(errors, Direction::LowerIsBetter)
    }

    fn ranked<N: Display, V: AsRef<[f64]>>(
        values: &[(N, V)],
        direction: Direction,
    ) -> Result<Self> {
        let n = values
            .first()
            .map_or(0, |(_, column)| column.as_ref().len());
        let names: Vec<String> = values.iter().map(|(name, _)| name.to_string()).collect();
        let datasets = (0..n)
            .map(|at| Dataset::independent(at.to_string()))
            .collect();
        let mut cells = Vec::with_capacity(n * names.len());
        for row in 0..n {
            for (_, column) in values {
                // A value that is missing is none; one too many makes the table's shape wrong.
                cells.push(column.as_ref().get(row).copied().unwrap_or(f64::NAN));
            }
        }
        let longest = values.iter().map(|(_, column)| column.as_ref().len()).max();
        cells.extend(std::iter::repeat_n(f64::NAN, longest.unwrap_or(0) - n));
        let table = CompleteTable::new(direction, datasets, names.clone(), cells)?;
        let ranking = mean_ranks(&table)?;
        let design = BlockDesign::try_from(table)?;
        let pairs = pairwise(&design, PairwiseOptions::default())?;
        Ok(Self {
            means: ranking.mean_ranks().to_vec(),
            friedman: friedman(&design, TieCorrection::Corrected)?,
            cliques: pairs.cliques()?,
            pairs,
            names,
        })
    }

    /// Name and mean rank of each method, the best first.
    pub fn mean_ranks(&self) -> Vec<(&str, f64)> {
        let pairs = self
            .names
            .iter()
            .map(String::as_str)
            .zip(self.means.iter().copied());
        let mut pairs: Vec<(&str, f64)> = pairs.collect();
        pairs.sort_by(|a, b| a.1.total_cmp(&b.1));
        pairs
    }

    /// Friedman's test: whether any method differs.
    pub fn friedman(&self) -> &Friedman {
        &self.friedman
    }

    /// Wilcoxon's signed-rank test of every pair, with Holm's correction.
    pub fn pairs(&self) -> &Pairwise {
        &self.pairs
    }

    /// Largest sets of methods of which no two differ, as names.
    pub fn cliques(&self) -> Vec<Vec<&str>> {
        let named =
            |clique: &Vec<usize>| clique.iter().map(|&at| self.names[at].as_str()).collect();
        self.cliques.iter().map(named).collect()
    }

    /// The diagram of mean ranks as SVG, with bars over methods that do not differ.
    ///
    /// # Errors
    /// [`PlotError`](counterweight_plots::PlotError) where a name is too long to be drawn.
    #[cfg(feature = "plots")]
    pub fn critical_difference_svg(
        &self,
    ) -> std::result::Result<String, counterweight_plots::PlotError> {
        use counterweight_plots::{CriticalDifference, Theme, critical_difference};
        let data = CriticalDifference {
            methods: self
                .names
                .iter()
                .cloned()
                .zip(self.means.iter().copied())
                .collect(),
            cliques: self.cliques.clone(),
            critical_difference: None,
            datasets: self.friedman.n_datasets,
            test: "Wilcoxon tests with Holm's correction".to_owned(),
        };
        critical_difference(&data, &Theme::page()).map(|figure| figure.svg)
    }
}
