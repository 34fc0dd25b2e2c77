//! Which arms are tried, how often, and the sweep file that says so.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use counterweight_core::Dataset;
use counterweight_harness::config;
use counterweight_harness::plan::Plan;

use super::evidence::{ArmName, Evidence, Expected, Shape};
use super::{AdviseOptions, Budget};
use crate::exit::{Error, Result};
use crate::folder::{SWEEP, rejected};
use crate::init::{id_of, keys};
use crate::session::Session;
use crate::source::Files;

/// Most arms of a plan: beyond these the gain of the best is paid for by the doubt about which it is.
const MOST_ARMS: usize = 15;

/// Most repeats of a plan.
const MOST_REPEATS: usize = 10;

/// Most test rows that all cells together keep the scores of.
const MOST_SCORES: usize = 20_000_000;

/// Fewest rows that a table is cut to so that a plan is affordable.
const FEWEST_ROWS: usize = 1000;

/// An arm is ruled out where its expected error is above the best by more than this and twice its standard error.
const BEHIND: f64 = 0.01;

/// The models of reports/reference, as they stand there.
const MODELS: [(&str, &str); 6] = [
    ("softmax-regression", "l2 = [0.1, 1.0, 10.0]"),
    ("gaussian-naive-bayes", "var_smoothing = [1e-9, 1e-3, 0.1]"),
    ("k-nearest-neighbours", "k = [5, 15, 45]"),
    (
        "gradient-boosting",
        "rounds = 40\nmin_leaf_share = [0.01, 0.04]",
    ),
    ("random-forest", "trees = 40\nmin_leaf = [1.0, 5.0]"),
    (
        "mlp",
        "hidden = [16]\nupdates = 1500\nweight_decay = [0.1, 3.0]",
    ),
];

/// The corrections of reports/reference, as they stand there.
const CORRECTIONS: [(&str, &str); 12] = [
    ("none", ""),
    ("weighted", "loss = { kind = \"weighted\" }"),
    (
        "inverse-sqrt",
        "loss = { kind = \"weighted\", scheme = \"inverse-sqrt\" }",
    ),
    ("logit-adjusted", "loss = { kind = \"logit-adjusted\" }"),
    ("random-over", "resample = { kind = \"random-over\" }"),
    ("smote", "resample = { kind = \"smote\" }"),
    ("random-under", "resample = { kind = \"random-under\" }"),
    ("prior-threshold", "decide = { kind = \"prior-threshold\" }"),
    ("tuned-threshold", "decide = { kind = \"tuned-threshold\" }"),
    (
        "temperature+prior",
        "decide = { kind = \"calibrated\", by = \"temperature\", then = \"prior-threshold\" }",
    ),
    (
        "random-over+adjust",
        "resample = { kind = \"random-over\" }\ndecide = { kind = \"logit-adjust\", prior = \"effective\" }",
    ),
    ("under-bagging", "ensemble = { kind = \"under-bagging\" }"),
];

/// The decision of least expected cost, which stands in the place of this one where costs are given.
const LEAST_COST: &str = "least-cost";
const PRIOR: &str = "prior-threshold";

/// What a threshold alone does: decisions on the scores of plain training.
pub(super) const THRESHOLDS: [&str; 4] =
    [PRIOR, "tuned-threshold", "temperature+prior", LEAST_COST];

/// A plan that is settled before anything runs.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    /// The sweep file.
    pub(super) text: String,
    /// Arms that the reference rules out for tables like this one, of all that it knows.
    pub(super) ruled_out: (usize, usize),
    pub(super) folds: usize,
    pub(super) repeats: usize,
    /// Rows that the table was cut to.
    pub(super) max_rows: Option<usize>,
    /// Estimated seconds of one core.
    pub(super) seconds: f64,
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) options: &'a AdviseOptions,
    pub(super) data: &'a Dataset,
    /// What it costs to miss a row of each class.
    pub(super) costs: Option<&'a [f64]>,
}

/// Every model under every correction, both as indices.
#[derive(Clone, Debug, Default, PartialEq)]
struct Grid {
    models: BTreeSet<usize>,
    corrections: BTreeSet<usize>,
}

impl Grid {
    fn all() -> Self {
        Self {
            models: (0..MODELS.len()).collect(),
            corrections: (0..CORRECTIONS.len()).collect(),
        }
    }

    fn arms(&self) -> usize {
        self.models.len() * self.corrections.len()
    }

    fn has(&self, (model, correction): (&str, &str)) -> bool {
        let correction = if correction == LEAST_COST {
            PRIOR
        } else {
            correction
        };
        let at = |known: &[(&str, &str)], id| known.iter().position(|(known, _)| *known == id);
        at(&MODELS, model).is_some_and(|at| self.models.contains(&at))
            && at(&CORRECTIONS, correction).is_some_and(|at| self.corrections.contains(&at))
    }

    /// The same with an arm, and with what always stands beside: plain training, a tuned threshold, and where costs are
    /// given the decision of least expected cost in the place of a prior threshold.
    fn with(&self, arm: &ArmName, costs: bool) -> Self {
        let mut more = self.clone();
        let models = MODELS.iter().position(|(id, _)| *id == arm.0);
        more.models.extend(models);
        let wanted = |id: &str| {
            id == arm.1 || id == "none" || id == "tuned-threshold" || (costs && id == PRIOR)
        };
        let found = CORRECTIONS.iter().enumerate();
        let found = found.filter(|(_, (id, _))| wanted(id)).map(|(at, _)| at);
        more.corrections.extend(found);
        more
    }
}

/// What the reference expects of each arm on tables like this one: the arms that it does not rule out, best first, and
/// how many it rules out of how many.
fn survivors(evidence: &Evidence, shape: Shape) -> (Vec<ArmName>, (usize, usize)) {
    let expected = evidence.expected(shape);
    let best = expected.iter().flatten().map(|e| e.mean);
    let best = best.fold(f64::INFINITY, f64::min);
    let behind = |e: &Expected| e.mean - 2.0 * e.error > best + BEHIND;
    let known = evidence.arms.iter().zip(expected);
    let known: Vec<(&ArmName, Expected)> = known.filter_map(|(arm, e)| Some((arm, e?))).collect();
    let mut order = known.clone();
    order.retain(|(_, e)| !behind(e));
    order.sort_by(|a, b| a.1.mean.total_cmp(&b.1.mean));
    let ruled_out = (known.len() - order.len(), known.len());
    (
        order.into_iter().map(|(arm, _)| arm.clone()).collect(),
        ruled_out,
    )
}

/// The shape of a table.
pub(super) fn shape(data: &Dataset) -> Shape {
    let counts = data.labels().counts();
    Shape {
        classes: counts.n_present(),
        rows: counts.total(),
        minority: counts.smallest_present(),
    }
}

/// Chooses arms and repeats for what may be spent.
///
/// The linear model comes first, then arms in the order of what the reference expects of them on tables like this one, as long as two repeats of
/// all models under all corrections taken so far are within the budget; the rest goes into more repeats. Nothing of it
/// hangs on the machine.
pub(super) fn settle(session: &Session<'_>, ask: Ask<'_>, folder: &Path) -> Result<Plot> {
    let shape = shape(ask.data);
    let (order, ruled_out) = survivors(&Evidence::carried(), shape);
    // The simplest model stands beside the others whatever the reference says.
    let linear = (MODELS[0].0.to_owned(), "none".to_owned());
    let folds = shape.minority.clamp(2, 5);
    let budget = ask.options.budget;
    let mut max_rows = (ask.data.n_rows() > MOST_SCORES / 3).then_some(MOST_SCORES / 3);
    loop {
        let draft = |grid: &Grid, repeats| write(ask, grid, (folds, repeats, max_rows));
        // What each fit of one repeat costs, by estimate.
        let plan = plan(session, folder, &draft(&Grid::all(), 1))?;
        let work = plan.work();
        let cost = |grid: &Grid| -> f64 {
            let wanted = |at: &usize| {
                let cell = &plan.cells[*at];
                let correction = &plan.sweep.corrections[cell.correction];
                grid.has((&plan.sweep.models[cell.model].id, &correction.id))
            };
            let fits = work.fits.iter().filter(|fit| fit.cells.iter().any(wanted));
            fits.map(|fit| fit.seconds).sum()
        };
        let rows = max_rows.unwrap_or(ask.data.n_rows());
        let affordable = |grid: &Grid, repeats: usize| match budget {
            Budget::Minutes(minutes) => {
                cost(grid) * repeats as f64 <= 60.0 * minutes
                    && grid.arms() * rows * repeats <= MOST_SCORES
            }
            Budget::Cells(cells) => grid.arms() * folds * repeats <= cells,
        };
        let mut grid = Grid::default();
        for repeats in [2, 1] {
            for arm in std::iter::once(&linear).chain(&order) {
                let more = grid.with(arm, ask.costs.is_some());
                if more.arms() <= MOST_ARMS && affordable(&more, repeats) {
                    grid = more;
                }
            }
            if grid.arms() > 0 {
                break;
            }
        }
        if grid.arms() > 0 {
            let repeats = (1..=MOST_REPEATS).rev().find(|&r| affordable(&grid, r));
            let repeats = repeats.unwrap_or(1);
            return Ok(Plot {
                text: draft(&grid, repeats),
                seconds: cost(&grid) * repeats as f64,
                ruled_out,
                folds,
                repeats,
                max_rows,
            });
        }
        match budget {
            Budget::Cells(cells) => {
                let least = folds * (2 + usize::from(ask.costs.is_some()));
                return Err(Error::usage(format!(
                    "--cells {cells} are too few to compare anything"
                ))
                .hint(format!("give {least} at least")));
            }
            Budget::Minutes(minutes) if rows <= FEWEST_ROWS => {
                let message = format!("--minutes {minutes} is too little for this table");
                return Err(Error::usage(message).hint("give more, or state the plan by --cells"));
            }
            Budget::Minutes(_) => max_rows = Some((rows / 2).max(FEWEST_ROWS)),
        }
    }
}

/// Plans a sweep that is not written yet.
fn plan(session: &Session<'_>, folder: &Path, text: &str) -> Result<Plan> {
    let sweep = config::parse(&folder.join(SWEEP), text, &session.catalogue)
        .map_err(|bad| rejected(bad.errors))?;
    Plan::new(Arc::new(sweep), session.catalogue, &Files::new(folder)).map_err(rejected)
}

/// The sweep file of these arms.
fn write(
    ask: Ask<'_>,
    grid: &Grid,
    (folds, repeats, max_rows): (usize, usize, Option<usize>),
) -> String {
    let options = ask.options;
    let mut text = format!(
        "# Written by `counterweight advise`. Every model chooses its parameters inside each training fold, and every arm\n\
         # sees the same splits.\nformat = 1\nname = \"advice\"\nseed = 0\n\n[protocol]\nfolds = {folds}\n\
         repeats = {repeats}\ninner_folds = 3\nkeep_scores = true\n"
    );
    if let Some(rows) = max_rows {
        let _ = writeln!(text, "max_rows = {rows}");
    }
    let file = options.file.canonicalize();
    let file = file.unwrap_or_else(|_| options.file.clone());
    let [id, path] = [id_of(&file), file.display().to_string()].map(serde_json::Value::from);
    let _ = write!(text, "\n[[dataset]]\nid = {id}\npath = {path}\n");
    for (key, value) in keys(&options.reading, options.contrast.as_ref()) {
        let _ = writeln!(text, "{key} = {value}");
    }
    for at in &grid.models {
        let (kind, parameters) = MODELS[*at];
        let _ = write!(
            text,
            "\n[[model]]\nid = \"{kind}\"\nkind = \"{kind}\"\n{parameters}\nselect = \"balanced-error\"\n"
        );
    }
    let matrix = ask.costs.map(matrix);
    for at in &grid.corrections {
        let (id, parts) = CORRECTIONS[*at];
        let costly = matrix.as_ref().and_then(|costs| match id {
            PRIOR => Some((
                LEAST_COST,
                format!("kind = \"cost-matrix\", target = \"train\", costs = {costs}"),
            )),
            "tuned-threshold" => Some((
                id,
                format!("kind = \"tuned-threshold\", metric = \"cost\", costs = {costs}"),
            )),
            _ => None,
        });
        let (id, parts) = match costly {
            Some((id, decide)) => (id, format!("decide = {{ {decide} }}")),
            None => (id, parts.to_owned()),
        };
        let _ = write!(text, "\n[[correction]]\nid = \"{id}\"\n{parts}\n");
    }
    text
}

/// Costs of each decision for each truth, as a sweep file writes them.
fn matrix(costs: &[f64]) -> String {
    let row = |truth: usize| {
        let cost = |decision| if decision == truth { 0.0 } else { costs[truth] };
        let cells = (0..costs.len()).map(|decision| format!("{:?}", cost(decision)));
        format!("[{}]", cells.collect::<Vec<_>>().join(", "))
    };
    format!(
        "[{}]",
        (0..costs.len()).map(row).collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_are_those_of_the_reference() {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../reports/reference/sweep.toml"
        );
        let text = std::fs::read_to_string(file).unwrap();
        let entries = |kind: &str| -> Vec<String> {
            let head = format!("[[{kind}]]\n");
            let parts = text.split(head.as_str()).skip(1);
            let end = |part: &str| part.split("\n\n").next().unwrap().trim_end().to_owned();
            parts.map(end).collect()
        };
        let models = MODELS
            .map(|(kind, own)| format!("kind = \"{kind}\"\n{own}\nselect = \"balanced-error\""));
        assert_eq!(entries("model"), models);
        let corrections =
            CORRECTIONS.map(|(id, parts)| format!("id = \"{id}\"\n{parts}").trim_end().to_owned());
        assert_eq!(entries("correction"), corrections);
    }
}
