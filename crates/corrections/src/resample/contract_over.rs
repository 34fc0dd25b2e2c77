//! What holds for over-samplers alone: property tests of the whole registry on odd shapes, and the
//! facts of single methods, told from origins and brute force.

use counterweight_core::{
    Matrix, NewRows, Note, OnNominal, Origin, ResamplerEntry, StageError, Train,
};
use proptest::prelude::*;

use super::ALL;
use super::contract_sets::{
    check, grows, is_left, is_near, mixed, nominal, numeric, run, run_noting, suited,
};
use crate::testing::{built, real, stream, text, train, whole};
use counterweight_numeric::neighbours::Pool;

fn entry(id: &str) -> &'static ResamplerEntry {
    ALL.iter().find(|entry| entry.card.id == id).unwrap()
}

/// Methods that add rows to numeric columns, and make them so.
fn numeric_ones(makes: &[NewRows]) -> impl Iterator<Item = &'static ResamplerEntry> {
    let makes = makes.to_vec();
    ALL.iter().filter(move |entry| {
        let numeric = entry.caps.numeric_only == OnNominal::Handles;
        numeric && grows(entry) && makes.contains(&entry.caps.makes)
    })
}

/// The base, the neighbour, and the row that was made of them; rows of the training set.
fn made(before: &Train, after: &Train) -> Vec<(usize, usize, Vec<f64>)> {
    let after = after.samples();
    let row = |original: usize| (original - 3) / 10;
    (0..after.n_rows())
        .filter_map(|at| match after.origins()[at] {
            Origin::Synthetic { base, neighbour } => {
                assert!(row(base) < before.samples().n_rows());
                Some((row(base), row(neighbour), after.x().row(at).to_vec()))
            }
            Origin::Row(_) => None,
        })
        .collect()
}

/// The nearest rows of each row among all, by plain sorting.
fn brute(set: &Train, row: usize, among: &[usize], k: usize) -> Vec<usize> {
    let x = set.samples().x();
    let mut all: Vec<(f64, usize)> = among
        .iter()
        .filter(|&&other| other != row)
        .map(|&other| {
            let squares = x.row(row).iter().zip(x.row(other));
            (squares.map(|(a, b)| (a - b).powi(2)).sum(), other)
        })
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all.into_iter().take(k).map(|(_, other)| other).collect()
}

fn foreign(set: &Train, row: usize, m: usize) -> usize {
    let y = set.samples().y();
    let all = Pool::All.rows(set.samples());
    let near = brute(set, row, &all, m);
    near.iter()
        .filter(|&&other| y.class(other) != y.class(row))
        .count()
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Scattered,
    AllEqual,
    Dependent,
    FewValues,
}

fn shaped(counts: &[usize], d: usize, shape: Shape, seed: u64) -> Matrix {
    let mut stream = stream(seed);
    let n = counts.iter().sum();
    let mut x = Matrix::from_fn(n, d, |_, _| stream.sample(rand_distr::StandardNormal));
    for i in 0..n {
        for j in 0..d {
            let value = match shape {
                Shape::Scattered => x.at(i, j),
                Shape::AllEqual => 0.7,
                Shape::Dependent => x.at(i, 0) * (j + 1) as f64,
                Shape::FewValues => x.at(i, j).round() * 0.1,
            };
            x.set(i, j, value);
        }
    }
    x
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn odd_shapes_give_the_counts_asked_for_or_a_named_reason(
        minority in prop_oneof![Just(1_usize), Just(2), Just(5), Just(6), 7_usize..12],
        third in 0_usize..9,
        majority in 8_usize..40,
        d in 1_usize..4,
        shape in prop_oneof![
            Just(Shape::Scattered),
            Just(Shape::AllEqual),
            Just(Shape::Dependent),
            Just(Shape::FewValues),
        ],
        balanced in proptest::bool::weighted(0.1),
        seed in 0_u64..1000,
    ) {
        let counts = if balanced { [minority; 3] } else { [majority, minority, third] };
        let classes: Vec<usize> = counts
            .iter()
            .enumerate()
            .flat_map(|(class, &n)| std::iter::repeat_n(class, n))
            .collect();
        let x = shaped(&counts, d, shape, seed);
        let numeric = train(x.clone(), &vec![None; d], &classes, 3);
        let codes = Matrix::from_fn(x.rows(), d, |i, j| x.at(i, j).abs().round().min(3.0));
        let nominal = train(codes, &vec![Some(4); d], &classes, 3);
        for entry in ALL.iter().filter(|entry| grows(entry)) {
            let id = entry.card.id;
            let set = match (entry.caps.numeric_only, entry.caps.all_nominal) {
                (OnNominal::Handles, _) => &numeric,
                (_, OnNominal::Handles) => &nominal,
                _ => continue,
            };
            let (found, notes) = run_noting(&*suited(entry, &[]), set, seed);
            match found {
                Err(StageError::NotApplicable(why)) => {
                    prop_assert!(why.contains("it stays at "), "{id}: {why}");
                    prop_assert!(!balanced, "{id}: nothing was asked for");
                }
                Err(StageError::Failed(why)) => {
                    let emptied = entry.caps.cleans_up && why.contains("no row is left");
                    prop_assert!(emptied, "{id}: {why}");
                }
                Err(other) => prop_assert!(false, "{id}: {other:?}"),
                Ok(after) => {
                    check(entry, set, &after);
                    if balanced && !entry.caps.cleans_up {
                        prop_assert_eq!(&after, set, "{}", id);
                    }
                    let (had, has) = (set.counts(), after.counts());
                    for class in (0..3).filter(|_| !is_near(entry)) {
                        let had_here = had.as_slice()[class];
                        let expected = if had_here == 0 || is_left(&notes, class) {
                            had_here
                        } else {
                            had.largest()
                        };
                        prop_assert_eq!(has.as_slice()[class], expected, "{}: {}", id, class);
                    }
                }
            }
        }
    }
}

#[test]
fn new_rows_lie_on_a_segment_with_one_u() {
    let set = numeric(&[300, 60, 90], 5, 17);
    let x = set.samples().x();
    for entry in numeric_ones(&[NewRows::WithinClass, NewRows::Between]) {
        let id = entry.card.id;
        let outwards = entry.card.params.iter().any(|spec| spec.name == "out_step");
        let low = if outwards { -0.5 } else { 0.0 };
        let after = run(&*suited(entry, &[]), &set, 1).unwrap();
        let rows = made(&set, &after);
        assert!(rows.len() > 100, "{id}: {}", rows.len());
        let mut seen = [f64::INFINITY, f64::NEG_INFINITY];
        for (base, other, values) in rows {
            let step = |j: usize| x.at(other, j) - x.at(base, j);
            let widest = (0..5).max_by(|&a, &b| step(a).abs().total_cmp(&step(b).abs()));
            let u = (values[widest.unwrap()] - x.at(base, widest.unwrap())) / step(widest.unwrap());
            for (j, value) in values.iter().enumerate() {
                let point = x.at(base, j) + u * step(j);
                assert!((value - point).abs() < 1e-9, "{id}: a segment, not a box");
            }
            assert!(u > low - 1e-9 && u < 1.0 + 1e-9, "{id}: {u}");
            seen = [seen[0].min(u), seen[1].max(u)];
        }
        assert!(seen[0] < low + 0.05 && seen[1] > 0.9, "{id}: {seen:?}");
    }
}

#[test]
fn new_rows_lie_between_rows_of_the_class() {
    let set = numeric(&[150, 30, 40], 3, 5);
    let y = set.samples().y();
    for entry in numeric_ones(&[NewRows::WithinClass]) {
        let id = entry.card.id;
        let after = run(&*suited(entry, &[]), &set, 3).unwrap();
        for (base, other, _) in made(&set, &after) {
            assert_eq!(y.class(base), y.class(other), "{id}");
            assert_ne!(base, other, "{id}");
        }
    }
}

#[test]
fn borderline_rows_start_from_rows_in_danger_alone() {
    let set = numeric(&[200, 30], 2, 8);
    for (m, k) in [(10, 5), (7, 2), (1, 3)] {
        let given = [("m", whole(m)), ("k", whole(k)), ("strategy", real(1.0))];
        let (m, k) = (usize::try_from(m).unwrap(), usize::try_from(k).unwrap());
        let class = Pool::Class(1).rows(set.samples());
        let danger: Vec<usize> = class
            .iter()
            .copied()
            .filter(|&row| {
                let foreign = foreign(&set, row, m);
                2 * foreign >= m && foreign < m
            })
            .collect();
        let found = run(&*built(entry("borderline-smote"), &given), &set, 1);
        if danger.is_empty() {
            // With one neighbour a row is safe or noise.
            assert!(m == 1 && matches!(found, Err(StageError::NotApplicable(_))));
            continue;
        }
        let rows = made(&set, &found.unwrap());
        let mut bases: Vec<usize> = rows.iter().map(|(base, ..)| *base).collect();
        bases.sort_unstable();
        bases.dedup();
        assert_eq!(bases, danger, "each of them, with 170 draws");
        for (base, other, _) in rows {
            assert!(brute(&set, base, &class, k).contains(&other));
        }
    }
}

#[test]
fn the_second_variant_goes_half_way_towards_others() {
    let set = numeric(&[400, 60], 2, 8);
    let (x, y) = (set.samples().x(), set.samples().y());
    let all = Pool::All.rows(set.samples());
    let given = [("variant", whole(2)), ("k", whole(5))];
    let after = run(&*built(entry("borderline-smote"), &given), &set, 1).unwrap();
    let mut reach = [0.0_f64; 2];
    for (base, other, values) in made(&set, &after) {
        assert!(brute(&set, base, &all, 5).contains(&other));
        let u = (values[0] - x.at(base, 0)) / (x.at(other, 0) - x.at(base, 0));
        let own = usize::from(y.class(other) == 1);
        reach[own] = reach[own].max(u);
    }
    assert!((0.45..0.5 + 1e-9).contains(&reach[0]), "{reach:?}");
    assert!((0.9..1.0 + 1e-9).contains(&reach[1]), "{reach:?}");
}

/// Classes far apart: nothing is in danger and nobody has foreign neighbours.
fn apart() -> Train {
    let x = Matrix::from_fn(60, 1, |i, _| {
        let class = [40, 50].iter().filter(|&&first| i >= first).count();
        (1000 * class + i) as f64
    });
    let classes: Vec<usize> = (0..60)
        .map(|i| usize::from(i >= 40) + usize::from(i >= 50))
        .collect();
    train(x, &[None], &classes, 3)
}

#[test]
fn nothing_to_do_is_a_named_outcome_and_never_the_rows_as_they_were() {
    for id in ["adasyn", "borderline-smote"] {
        let given = [("k", whole(4))];
        let (found, _) = run_noting(&*built(entry(id), &given), &apart(), 1);
        let Err(StageError::NotApplicable(why)) = found else {
            panic!("{id}: {found:?}")
        };
        assert!(
            why.contains("class c1 ") && why.contains("class c2 "),
            "{why}"
        );
    }
    // One class alone has somewhere to go: the other is left and named.
    let set = numeric(&[40, 10], 1, 3);
    let x = Matrix::from_fn(58, 1, |i, _| {
        if i < 50 {
            set.samples().x().at(i, 0)
        } else {
            (1000 + i) as f64
        }
    });
    let mut classes: Vec<usize> = (0..50).map(|i| set.samples().y().class(i)).collect();
    classes.extend([2; 8]);
    let set = train(x, &[None], &classes, 3);
    for id in ["adasyn", "borderline-smote"] {
        let (found, notes) = run_noting(&*built(entry(id), &[]), &set, 1);
        assert!(found.unwrap().counts().as_slice()[1] > 30, "{id}");
        assert!(is_left(&notes, 2) && !is_left(&notes, 1), "{id}: {notes:?}");
        assert!(notes.iter().all(|note| matches!(note, Note::Clamped(_))));
    }
}

#[test]
fn adasyn_starts_rows_in_proportion_to_foreign_neighbours() {
    let set = numeric(&[120, 25, 40], 3, 21);
    let after = run(&*built(entry("adasyn"), &[]), &set, 1).unwrap();
    let mut started = vec![0_usize; set.samples().n_rows()];
    for (base, ..) in made(&set, &after) {
        started[base] += 1;
    }
    for (class, wanted) in [(1, 95), (2, 80)] {
        let rows = Pool::Class(class).rows(set.samples());
        let foreign: Vec<usize> = rows.iter().map(|&row| foreign(&set, row, 5)).collect();
        let total: usize = foreign.iter().sum();
        for (&row, f) in rows.iter().zip(&foreign) {
            let share = (f * wanted) as f64 / total as f64;
            assert!((started[row] as f64 - share).abs() <= 0.5, "{row}: {share}");
        }
    }
}

#[test]
fn smote_n_gives_each_starting_row_its_vote() {
    let set = nominal(&[90, 25], 3);
    let after = run(&*built(entry("smote-n"), &[("k", whole(3))]), &set, 1).unwrap();
    let mut votes = std::collections::BTreeMap::new();
    for (base, _, values) in made(&set, &after) {
        let first = votes.entry(base).or_insert_with(|| values.clone());
        assert_eq!(*first, values);
    }
    assert!(votes.len() > 15);
}

#[test]
fn nominal_values_are_voted_on_by_neighbours_of_the_class() {
    let set = mixed(&[120, 40], 9);
    let class = Pool::Class(1).rows(set.samples());
    let within = |entry: &&ResamplerEntry| grows(entry) && entry.caps.makes == NewRows::WithinClass;
    let voted = |entry: &&ResamplerEntry| entry.caps.nominal == OnNominal::Handles;
    for entry in ALL.iter().filter(within).filter(voted) {
        let id = entry.card.id;
        let after = run(&*built(entry, &[("k", whole(1))]), &set, 1).unwrap();
        for (_, other, values) in made(&set, &after) {
            // A single voter: the neighbour itself.
            assert!(class.contains(&other), "{id}");
            for column in [1, 2] {
                let same = values[column] - set.samples().x().at(other, column);
                assert!(same.abs() < f64::EPSILON, "{id}");
            }
        }
    }
}

#[test]
fn topologies_place_rows_where_they_say() {
    let set = numeric(&[50, 4], 2, 6);
    let x = set.samples().x();
    let class = Pool::Class(1).rows(set.samples());
    let mean: Vec<f64> = (0..2)
        .map(|j| class.iter().map(|&row| x.at(row, j)).sum::<f64>() / 4.0)
        .collect();
    let rows = |topology: &str| {
        let after = run(
            &*built(entry("polynom-fit-smote"), &[("topology", text(topology))]),
            &set,
            1,
        );
        made(&set, &after.unwrap())
    };
    // 46 rows on 4 rays: two of them get 12, two 11.
    let mut lengths = [0; 4];
    for (base, _, values) in rows("star") {
        let at = class.iter().position(|&row| row == base).unwrap();
        lengths[at] += 1;
        let share = |j: usize| (values[j] - x.at(base, j)) / (mean[j] - x.at(base, j));
        assert!((share(0) - share(1)).abs() < 1e-9);
        let twelfths = share(0) * 12.0;
        let thirteenths = share(0) * 13.0;
        let whole = |v: f64| (v - v.round()).abs() < 1e-9;
        assert!(whole(twelfths) || whole(thirteenths));
    }
    lengths.sort_unstable();
    assert_eq!(lengths, [11, 11, 12, 12]);
    for (base, other, _) in rows("bus") {
        let at = |row: usize| class.iter().position(|&r| r == row).unwrap();
        assert_eq!(at(base), at(other) + 1);
    }
    let mut pairs: Vec<(usize, usize)> = rows("mesh").iter().map(|r| (r.0, r.1)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    assert_eq!(pairs.len(), 6, "every pair");
    // Degree 3 passes through all four rows, and the curve is one: rows near a position are near its
    // row.
    let given = [("topology", text("polynomial")), ("degree", whole(3))];
    let after = run(&*built(entry("polynom-fit-smote"), &given), &set, 1).unwrap();
    let made = made(&set, &after);
    let distinct = made
        .windows(2)
        .filter(|pair| pair[0].2 != pair[1].2)
        .count();
    assert_eq!(
        distinct,
        made.len() - 1,
        "each row has a position of its own"
    );
}

#[test]
fn mwmote_leaves_noise_and_gaps_alone() {
    // Two groups of the minority with foreign ground between them, and one row of noise.
    let mut stream = stream(4);
    let mut x = Vec::new();
    let mut classes = Vec::new();
    for i in 0..240 {
        let z: f64 = stream.sample(rand_distr::StandardNormal);
        let (centre, class) = match i {
            0..20 => (0.0, 1),
            20..40 => (30.0, 1),
            40 => (15.0, 1),
            41..141 => (2.0, 0),
            _ => (15.0, 0),
        };
        x.push(centre + 0.5 * z);
        classes.push(class);
    }
    let set = train(Matrix::from_vec(240, 1, x).unwrap(), &[None], &classes, 2);
    let after = run(&*built(entry("mwmote"), &[]), &set, 1).unwrap();
    let rows = made(&set, &after);
    assert!(rows.len() > 100);
    for (base, other, _) in rows {
        assert!(base != 40 && other != 40, "noise starts nothing");
        assert_eq!(base < 20, other < 20, "nothing between the groups");
    }
}

#[test]
fn the_filter_removes_planted_noise() {
    let mut stream = stream(12);
    let x = Matrix::from_fn(300, 2, |i, _| {
        let z: f64 = stream.sample(rand_distr::StandardNormal);
        if i < 220 { z } else { z + 6.0 }
    });
    // Rows 0 to 9 carry the wrong label.
    let classes: Vec<usize> = (0..300)
        .map(|i| usize::from(!(10..220).contains(&i)))
        .collect();
    let set = train(x, &[None, None], &classes, 2);
    let after = run(&*built(entry("smote-ipf"), &[]), &set, 1).unwrap();
    let kept: Vec<usize> = after
        .samples()
        .origins()
        .iter()
        .filter_map(|origin| match origin {
            Origin::Row(row) => Some((row - 3) / 10),
            Origin::Synthetic { .. } => None,
        })
        .collect();
    assert!(
        kept.iter().filter(|&&row| row < 10).count() <= 2,
        "{kept:?}"
    );
    assert!(kept.len() > 270, "and little else: {}", kept.len());
}
