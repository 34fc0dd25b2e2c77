//! A ranking in sentences, tables and figures.

use counterweight_plots::format::{fixed, list, p_value, plural, rank, signed};
use counterweight_plots::{self as plots, Figure, Quantity, Theme};

use counterweight_stats::FEWEST_UNITS;

use super::{RankedMethod, RankedPair, Ranking};
use crate::error::{ReportError, Result};
use crate::view::{Cell, Head, View};

impl Ranking {
    pub(super) fn words(&self) -> Vec<String> {
        let mut text = vec![format!(
            "{} on {} in {}; {} is better.",
            plural(self.methods.len(), "method"),
            plural(self.n_units, "unit"),
            plural(self.n_clusters, "cluster"),
            if self.lower_is_better { "less" } else { "more" }
        )];
        if self.n_complete < self.n_clusters {
            text.push(format!(
                "{} of them have every method: means, ranks and P(first) stand on these, pairs on all that two methods share.",
                self.n_complete
            ));
        }
        if let Some(test) = &self.test {
            let also = test.iman_davenport.map_or_else(String::new, |(f, p)| {
                format!("; Iman and Davenport's F {}, p {}", fixed(f, 3), p_value(p))
            });
            text.push(format!(
                "{}: chi-squared {} with {} degrees of freedom on {}, p {}{also}.",
                if test.test == "friedman" {
                    "Friedman's test"
                } else {
                    "The Skillings-Mack test"
                },
                fixed(test.chi_squared, 3),
                test.df,
                plural(test.n_clusters, "cluster"),
                p_value(test.p)
            ));
        }
        let leader = self.methods.iter().filter(|m| m.p_first.is_some());
        let leader = leader.max_by(|a, b| {
            let better = |m: &RankedMethod| {
                m.mean
                    .map_or(0.0, |v| if self.lower_is_better { -v } else { v })
            };
            better(a).total_cmp(&better(b))
        });
        if let (Some(leader), Some(equals)) = (leader, self.p_first_of_equals) {
            let p = leader.p_first.unwrap_or_default();
            text.push(format!(
                "{} {}: P(first) is {}, where the first of equal methods would have {}.",
                leader.method,
                if p >= 0.95 {
                    "is the best"
                } else {
                    "has the best mean, no firm lead"
                },
                fixed(p, 2),
                fixed(equals, 2)
            ));
        }
        let family = plural(self.pairs.len(), "pair");
        for (verdict, words) in [
            (
                "better",
                format!(
                    "Better (Holm over {family}, and a mean gain beyond {})",
                    self.rope
                ),
            ),
            (
                "likely better",
                format!("Likely better (not adjusted for {family})"),
            ),
            (
                "practically equal",
                format!("Practically equal (within {})", self.rope),
            ),
            ("identical", "Identical".to_owned()),
        ] {
            let own = self.pairs.iter().filter(|pair| pair.verdict == verdict);
            let own: Vec<String> = own
                .map(|pair| {
                    format!(
                        "{} against {} by {}",
                        pair.first,
                        pair.second,
                        signed(pair.gain)
                    )
                })
                .collect();
            if !own.is_empty() {
                text.push(format!("{words}: {}.", list(&own)));
            }
        }
        let unclear: Vec<f64> = self
            .pairs
            .iter()
            .filter(|p| p.verdict == "not shown")
            .filter_map(|p| p.visible)
            .collect();
        if let (Some(low), Some(high)) = (
            unclear.iter().copied().reduce(f64::min),
            unclear.iter().copied().reduce(f64::max),
        ) {
            text.push(format!(
                "Not shown for {}; mean differences would have shown from {} to {} on.",
                plural(unclear.len(), "pair"),
                fixed(low, 3),
                fixed(high, 3)
            ));
        }
        if self.n_clusters < FEWEST_UNITS {
            text.push(format!(
                "Fewer than {FEWEST_UNITS} clusters: no intervals and no words for pairs."
            ));
        }
        if self.n_complete == self.n_clusters {
            text.push("On a complete table the order by Elo is that of the mean ranks.".to_owned());
        }
        text
    }

    pub(super) fn methods_view(&self) -> View {
        let row = |m: &RankedMethod| {
            vec![
                Cell::code(&m.method),
                Cell::count(m.n_clusters),
                Cell::number(m.mean, |v| fixed(v, 4)),
                Cell::number(m.mean_rank, rank),
                Cell::number(m.p_first, |v| fixed(v, 2)),
                Cell {
                    text: match (m.elo, m.elo_interval) {
                        (Some(elo), Some((low, high))) => {
                            format!("{} [{}, {}]", fixed(elo, 0), fixed(low, 0), fixed(high, 0))
                        }
                        (elo, _) => elo.map_or_else(String::new, |elo| fixed(elo, 0)),
                    },
                    sort: m.elo,
                    ..Cell::default()
                },
            ]
        };
        let heads = ["name", "clusters", "mean", "mean rank", "P(first)", "Elo"];
        view(
            "ranks",
            "Methods by mean rank",
            &heads,
            1,
            self.methods.iter().map(row).collect(),
        )
    }

    pub(super) fn pairs_view(&self) -> View {
        let row = |p: &RankedPair| {
            let text = match p.interval {
                Some((low, high)) => {
                    format!("{} [{}, {}]", signed(p.gain), signed(low), signed(high))
                }
                None => signed(p.gain),
            };
            let [wins, ties, losses] = p.record;
            vec![
                Cell::code(&p.first),
                Cell::code(&p.second),
                Cell {
                    text,
                    sort: Some(p.gain),
                    ..Cell::default()
                },
                Cell::count(p.n_clusters),
                Cell {
                    text: format!("{wins}/{ties}/{losses}"),
                    sort: Some(wins as f64),
                    ..Cell::default()
                },
                Cell::number(Some(p.p_holm), p_value),
                Cell::text(p.verdict.clone()),
            ]
        };
        let heads = [
            "first",
            "second",
            "gain",
            "clusters",
            "won/tied/lost",
            "Holm p",
            "verdict",
        ];
        view(
            "pairs",
            "Pairs of methods",
            &heads,
            2,
            self.pairs.iter().map(row).collect(),
        )
    }

    pub(super) fn figures(&self, value: &str) -> Result<Vec<(String, Figure)>> {
        let theme = |name: &str| {
            let mut theme = Theme::page().with_prefix(name);
            theme.quantity = Quantity {
                name: value.to_owned(),
                percent: false,
                lower_is_better: self.lower_is_better,
            };
            theme
        };
        let place = |name: &String| self.methods.iter().position(|m| m.method == *name);
        let ranked: Option<Vec<(String, f64)>> = self
            .methods
            .iter()
            .map(|m| Some((m.method.clone(), m.mean_rank?)))
            .collect();
        let mut figures = Vec::new();
        let failed = |figure: &str| {
            let figure = figure.to_owned();
            move |source: plots::PlotError| ReportError::Figure {
                figure,
                reason: source.to_string(),
            }
        };
        if let Some(methods) = ranked {
            let data = plots::CriticalDifference {
                methods,
                cliques: self
                    .groups
                    .iter()
                    .map(|group| group.iter().filter_map(place).collect())
                    .collect(),
                critical_difference: None,
                datasets: self.n_complete,
                test: "neither Holm's test nor the mean".to_owned(),
            };
            let drawn = plots::critical_difference(&data, &theme("critical_difference"));
            figures.push((
                "critical_difference".to_owned(),
                drawn.map_err(failed("critical difference"))?,
            ));
        }
        let sign = if self.lower_is_better { -1.0 } else { 1.0 };
        let cell = |row: &RankedMethod, column: &RankedMethod| {
            let found =
                |a: &str, b: &str| self.pairs.iter().find(|p| p.first == a && p.second == b);
            let (pair, turn) = match found(&row.method, &column.method) {
                Some(pair) => (pair, 1.0),
                None => (found(&column.method, &row.method)?, -1.0),
            };
            let [mut wins, ties, mut losses] = pair.record;
            if turn < 0.0 {
                std::mem::swap(&mut wins, &mut losses);
            }
            let p = if pair.differs() {
                pair.p_holm
            } else {
                pair.p_holm.max(0.051)
            };
            Some(plots::Comparison {
                difference: sign * turn * pair.gain,
                wins,
                ties,
                losses,
                p: Some(p),
            })
        };
        let data = plots::ComparisonMatrix {
            methods: self.methods.iter().map(|m| m.method.clone()).collect(),
            cells: self
                .methods
                .iter()
                .map(|a| self.methods.iter().map(|b| cell(a, b)).collect())
                .collect(),
            level: 0.05,
            test: "Wilcoxon with Holm over all pairs".to_owned(),
        };
        let drawn = plots::comparison_matrix(&data, &theme("comparison_matrix"));
        figures.push((
            "comparison_matrix".to_owned(),
            drawn.map_err(failed("comparison matrix"))?,
        ));
        Ok(figures)
    }
}

/// A table whose first columns are names and the others numbers.
fn view(name: &str, title: &str, heads: &[&str], names: usize, rows: Vec<Vec<Cell>>) -> View {
    let head = |(at, text): (usize, &&str)| Head {
        text: (*text).to_owned(),
        numeric: at >= names && *text != "verdict",
    };
    View {
        name: name.to_owned(),
        title: title.to_owned(),
        note: String::new(),
        heads: heads.iter().enumerate().map(head).collect(),
        rows,
        cells: Vec::new(),
    }
}
