//! Method notes: how the numbers were made, in two hundred words; what each method is stands in its docs.

use maud::{Markup, html};

use super::text::rich;
use crate::analysis::Analysis;
use counterweight_plots::format::plural;

pub(super) fn notes(analysis: &Analysis) -> Markup {
    let test = format!(
        "One family of tests: every distinct correction of every distinct model against none, {}, Wilcoxon's signed \
         ranks over clusters with Holm's correction. `{}` and `{}` need that and a probability of .95, by the Bayesian \
         bootstrap of the mean, that the mean gain is beyond half a point; `likely` needs the second alone; `practically \
         equal` needs .95 within half a point.",
        plural(analysis.family, "comparison"),
        analysis.target.helps(),
        analysis.target.harms()
    );
    let weighted = format!(
        "Metrics that depend on class shares are weighted to {}. `counterweight list` describes every method.",
        analysis.weighted_to
    );
    let notes = [
        "The unit is the cluster of related datasets: repeats and folds make a dataset's value, datasets a cluster's, and \
         clusters count alike. Real data and populations are never in one mean. Equal models and equal corrections count \
         once.",
        "Gains are no correction less the correction, so positive is better everywhere, in points for rates.",
        &test,
        "The honest gain is that of the correction which is best on the other clusters; P(first) is a cluster bootstrap, \
         beside what the first of equal arms would have.",
        "Intervals: none below 6 clusters, Student's t to 19, then a cluster bootstrap. A correction without a value on some \
         fold is missing there; one that would take a fifth of the data from the others is judged on its own sets.",
        &weighted,
    ];
    html! { @for note in notes { p { (rich(note)) } } }
}
