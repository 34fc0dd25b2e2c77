//! Properties that hold for every input.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use std::collections::BTreeSet;

use counterweight_stats::{
    Alternative, BayesianOptions, BlockDesign, CompleteTable, Dataset, Direction, LongTable,
    Observation, PairGraph, PairedDifferences, PairwiseOptions, PartialCells, RankTable,
    TieCorrection, WilcoxonOptions, ZeroTreatment, bayesian_signed_rank, comparison_matrix,
    friedman, group_duplicates, holm, iman_davenport, midranks, pairwise, wilcoxon,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Values on a coarse grid, so that ties are common.
fn coarse() -> impl Strategy<Value = f64> {
    (0_u8..12).prop_map(|step| f64::from(step) / 10.0)
}

fn lines(max_datasets: usize, max_methods: usize) -> impl Strategy<Value = Vec<Vec<f64>>> {
    (2..=max_methods)
        .prop_flat_map(move |width| vec(vec(coarse(), width..=width), 2..=max_datasets))
}

fn table(lines: &[Vec<f64>]) -> CompleteTable {
    let datasets = (0..lines.len()).map(|i| Dataset {
        name: format!("d{i}"),
        cluster: format!("c{}", i / 2),
    });
    let methods = (0..lines[0].len()).map(|i| format!("m{i}")).collect();
    CompleteTable::new(
        Direction::LowerIsBetter,
        datasets.collect(),
        methods,
        lines.concat(),
    )
    .unwrap()
}

fn design(lines: &[Vec<f64>]) -> BlockDesign {
    BlockDesign::try_from(table(lines)).unwrap()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// The two-sided exact p value by listing all 2^n signs.
fn by_enumeration(differences: &[f64], zeros: ZeroTreatment) -> f64 {
    let kept: Vec<f64> = match zeros {
        ZeroTreatment::Wilcox => differences
            .iter()
            .copied()
            .filter(|d| d.abs() > 0.0)
            .collect(),
        ZeroTreatment::Pratt | ZeroTreatment::ZSplit => differences.to_vec(),
    };
    let sizes: Vec<f64> = kept.iter().map(|d| d.abs()).collect();
    let ranks = midranks(&sizes, Direction::LowerIsBetter).unwrap().ranks;
    let signed: Vec<(f64, f64)> = kept
        .iter()
        .copied()
        .zip(ranks)
        .filter(|(d, _)| d.abs() > 0.0)
        .collect();
    let observed: f64 = signed
        .iter()
        .filter(|(d, _)| *d > 0.0)
        .map(|(_, r)| r)
        .sum();
    let (mut less, mut greater) = (0_u32, 0_u32);
    for signs in 0..1_u32 << signed.len() {
        let sum: f64 = signed
            .iter()
            .enumerate()
            .filter(|(bit, _)| signs >> bit & 1 == 1)
            .map(|(_, (_, rank))| rank)
            .sum();
        less += u32::from(sum <= observed);
        greater += u32::from(sum >= observed);
    }
    (2.0 * f64::from(less.min(greater)) / f64::from(1_u32 << signed.len())).min(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ranks_add_up_and_turn_with_the_direction(values in vec(coarse(), 1..20)) {
        let k = values.len() as f64;
        let low = midranks(&values, Direction::LowerIsBetter).unwrap();
        let high = midranks(&values, Direction::HigherIsBetter).unwrap();
        prop_assert!(near(low.ranks.iter().sum(), k * (k + 1.0) / 2.0));
        prop_assert_eq!(low.groups.iter().sum::<usize>(), values.len());
        for (a, b) in low.ranks.iter().zip(&high.ranks) {
            prop_assert!(near(a + b, k + 1.0));
        }
        for (i, a) in values.iter().enumerate() {
            for (j, b) in values.iter().enumerate() {
                prop_assert_eq!(a < b, low.ranks[i] < low.ranks[j]);
            }
        }
    }

    #[test]
    fn shares_of_first_add_up_to_one(lines in lines(8, 6)) {
        let shares = RankTable::new(&table(&lines)).unwrap().shares_of_first();
        prop_assert!(near(shares.iter().sum(), 1.0));
    }

    #[test]
    fn friedman_does_not_see_the_order_of_datasets_or_methods(
        lines in lines(8, 6), turn in 1_usize..5,
    ) {
        let mut turned = lines.clone();
        turned.rotate_left(turn % lines.len());
        for line in &mut turned {
            line.rotate_left(turn % lines[0].len());
        }
        for correction in [TieCorrection::Corrected, TieCorrection::Classical] {
            let (one, other) = (friedman(&design(&lines), correction), friedman(&design(&turned), correction));
            match (one, other) {
                (Ok(one), Ok(other)) => {
                    prop_assert!(near(one.statistic, other.statistic));
                    prop_assert!((0.0..=1.0).contains(&one.p_value));
                    let (f, g) = (iman_davenport(&one), iman_davenport(&other));
                    prop_assert!((f.p_value - g.p_value).abs() < 1e-9);
                    prop_assert!(f.p_value > 0.0 && f.p_value <= 1.0);
                    prop_assert!(f.statistic.is_none_or(|f| f.is_finite() && f >= 0.0));
                    let bound = (one.df * lines.len()) as f64;
                    prop_assert!(one.statistic <= bound * (1.0 + 1e-12));
                }
                (one, other) => prop_assert_eq!(one.is_err(), other.is_err()),
            }
        }
    }

    #[test]
    fn wilcoxon_is_the_enumeration(values in vec((-4_i8..5).prop_map(f64::from), 1..11)) {
        for zeros in [ZeroTreatment::Wilcox, ZeroTreatment::Pratt, ZeroTreatment::ZSplit] {
            let options = WilcoxonOptions { zeros, ..WilcoxonOptions::default() };
            let found = wilcoxon(&values, options).unwrap();
            prop_assert!(near(found.p_value, by_enumeration(&values, zeros)), "{:?}", zeros);
        }
    }

    #[test]
    fn wilcoxon_mirrors_and_forgets_order(values in vec(-1.0_f64..1.0, 1..70), turn in 0_usize..70) {
        for zeros in [ZeroTreatment::Wilcox, ZeroTreatment::Pratt, ZeroTreatment::ZSplit] {
            let run = |values: &[f64], alternative| {
                wilcoxon(values, WilcoxonOptions { zeros, alternative, ..WilcoxonOptions::default() }).unwrap()
            };
            let mut turned = values.clone();
            turned.rotate_left(turn % values.len());
            let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
            let two = run(&values, Alternative::TwoSided);
            prop_assert!(near(two.p_value, run(&turned, Alternative::TwoSided).p_value));
            prop_assert!(near(two.p_value, run(&mirrored, Alternative::TwoSided).p_value));
            let (up, down) = (run(&values, Alternative::Greater), run(&mirrored, Alternative::Less));
            prop_assert!(near(up.p_value, down.p_value));
            prop_assert!(two.p_value > 0.0 && two.p_value <= 1.0);
        }
    }

    #[test]
    fn exact_and_normal_agree_for_many_differences(values in vec(-0.9_f64..1.1, 51..80)) {
        let exact = WilcoxonOptions { exact_up_to: 1000, ..WilcoxonOptions::default() };
        let p = wilcoxon(&values, exact).unwrap().p_value;
        let q = wilcoxon(&values, WilcoxonOptions::default()).unwrap().p_value;
        prop_assert!((p - q).abs() < 0.01, "{} {}", p, q);
    }

    #[test]
    fn holm_is_monotone_and_no_smaller(p_values in vec(0.0_f64..=1.0, 0..30)) {
        let adjusted = holm(&p_values).unwrap();
        let m = p_values.len() as f64;
        for (p, a) in p_values.iter().zip(&adjusted) {
            prop_assert!(a >= p && *a <= (m * p).min(1.0) + 1e-15);
        }
        for (i, p) in p_values.iter().enumerate() {
            for (j, q) in p_values.iter().enumerate() {
                prop_assert!(p > q || adjusted[i] <= adjusted[j]);
            }
        }
        // The definition read as a procedure: walk up, stop at the first failure.
        let mut sorted = p_values;
        sorted.sort_by(f64::total_cmp);
        let level = 0.05;
        let walked = sorted
            .iter()
            .enumerate()
            .take_while(|(i, p)| **p * (m - *i as f64) <= level)
            .count();
        prop_assert_eq!(walked, adjusted.iter().filter(|a| **a <= level).count());
    }

    #[test]
    fn cliques_are_all_the_maximal_ones(nodes in 0_usize..9, bits in any::<u64>()) {
        let mut graph = PairGraph::new(nodes);
        let mut bit = 0;
        for a in 0..nodes {
            for b in a + 1..nodes {
                if bits >> bit & 1 == 1 {
                    graph.join(a, b).unwrap();
                }
                bit += 1;
            }
        }
        let found = graph.maximal_cliques(1000).unwrap();
        let is_clique = |set: u32| {
            (0..nodes).all(|a| (0..a).all(|b| {
                set >> a & 1 == 0 || set >> b & 1 == 0 || graph.is_joined(a, b)
            }))
        };
        let expected: BTreeSet<Vec<usize>> = (1_u32..1 << nodes)
            .filter(|&set| is_clique(set))
            .filter(|&set| (0..nodes).all(|n| set >> n & 1 == 1 || !is_clique(set | 1 << n)))
            .map(|set| (0..nodes).filter(|n| set >> n & 1 == 1).collect())
            .collect();
        prop_assert_eq!(found.len(), expected.len());
        prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn every_pair_is_joined_or_decided(lines in lines(10, 5)) {
        let Ok(tested) = pairwise(&design(&lines), PairwiseOptions::default()) else {
            // Two datasets of one cluster.
            return Ok(());
        };
        let cliques = tested.indistinguishable().unwrap().maximal_cliques(1000).unwrap();
        for pair in tested.pairs() {
            let together = cliques.iter().any(|c| c.contains(&pair.a) && c.contains(&pair.b));
            prop_assert_eq!(together, !pair.differs);
            prop_assert!(pair.p_adjusted >= pair.test.p_value);
        }
        let covered: BTreeSet<usize> = cliques.concat().into_iter().collect();
        prop_assert_eq!(covered.len(), lines[0].len());
    }

    #[test]
    fn the_matrix_is_antisymmetric(lines in lines(10, 5)) {
        let Ok(matrix) = comparison_matrix(&design(&lines), PairwiseOptions::default()) else {
            return Ok(());
        };
        for cell in matrix.cells() {
            let mirror = matrix.cell(cell.column, cell.row).unwrap();
            prop_assert_eq!((cell.wins, cell.ties, cell.losses), (mirror.losses, mirror.ties, mirror.wins));
            prop_assert!(near(cell.mean_difference, -mirror.mean_difference));
            prop_assert_eq!(cell.wins + cell.ties + cell.losses, lines.len());
            prop_assert!(near(cell.p_raw, mirror.p_raw));
        }
    }

    #[test]
    fn posterior_probabilities_are_a_distribution(
        values in vec(-0.03_f64..0.03, 1..12), rope in prop_oneof![Just(0.0), 0.0_f64..0.02],
    ) {
        let options = BayesianOptions { rope, draws: 300, ..BayesianOptions::default() };
        let found = bayesian_signed_rank(&values, options).unwrap();
        prop_assert!(near(found.p_below + found.p_rope + found.p_above, 1.0));
        let (below, rope_mass, above) = found.mean;
        prop_assert!(near(below + rope_mass + above, 1.0));
        prop_assert!(below >= 0.0 && rope_mass >= 0.0 && above >= 0.0);
    }

    #[test]
    fn groups_partition_the_methods(lines in lines(5, 6)) {
        let scores = table(&lines).to_scores();
        let groups = group_duplicates(&scores, &[], 2).unwrap();
        let mut members: Vec<usize> =
            groups.groups().iter().flat_map(|group| group.members.clone()).collect();
        members.sort_unstable();
        prop_assert_eq!(members, (0..lines[0].len()).collect::<Vec<_>>());
        prop_assert!(groups.groups().iter().all(|group| group.identical));
        let once = groups.counted_once(&scores).unwrap();
        prop_assert_eq!(group_duplicates(&once, &[], 2).unwrap().shared().count(), 0);
    }

    #[test]
    fn long_tables_forget_the_order_of_rows(
        values in vec(proptest::option::weighted(0.9, -1.0_f64..1.0), 24), turn in 0_usize..24,
    ) {
        let mut rows: Vec<Observation> = values
            .iter()
            .zip(0_u32..)
            .map(|(value, index)| Observation {
                dataset: format!("d{}", index / 8),
                cluster: "all".into(),
                method: format!("m{}", index / 4 % 2),
                repeat: index / 2 % 2,
                fold: index % 2,
                value: *value,
            })
            .collect();
        let one = LongTable::new(rows.clone()).unwrap();
        rows.rotate_left(turn);
        rows.reverse();
        let other = LongTable::new(rows).unwrap();
        for partial in [PartialCells::Missing, PartialCells::MeanOfPresent] {
            prop_assert_eq!(
                one.scores(Direction::LowerIsBetter, partial).unwrap(),
                other.scores(Direction::LowerIsBetter, partial).unwrap()
            );
        }
    }

    #[test]
    fn the_standard_error_scales(values in vec(-1.0_f64..1.0, 4..12), factor in 0.1_f64..9.0) {
        let clusters: Vec<usize> = (0..values.len()).map(|i| i / 2).collect();
        let error = |values: Vec<f64>| {
            PairedDifferences::new(values, &clusters).unwrap().standard_error().unwrap()
        };
        let scaled = values.iter().map(|value| 5.0 + factor * value).collect();
        prop_assert!((factor * error(values) - error(scaled)).abs() < 1e-9);
    }
}
