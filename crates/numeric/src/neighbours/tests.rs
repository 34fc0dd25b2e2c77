//! Every route gives the lists of a double loop.

use counterweight_core::{Matrix, StageError};
use proptest::prelude::*;

use super::*;
use crate::testing::stream;

fn naive(points: &Points, queries: &[usize], among: &[usize], k: usize) -> Vec<Candidate> {
    let lists = queries.iter().flat_map(|&query| {
        let others = among.iter().filter(|&&row| row != query);
        let mut all: Vec<Candidate> = others
            .map(|&row| Candidate {
                squared: points.squared_distance(query, row),
                row,
            })
            .collect();
        all.sort_by(Candidate::order);
        all.truncate(k);
        all
    });
    lists.collect()
}

/// By the route that is chosen and by every other that can be gone.
fn agree(points: &Points, queries: &[usize], among: &[usize], k: usize) {
    let never = Deadline::NEVER;
    let found = nearest(points, queries, among, k, &never).unwrap();
    let k = found.k();
    let expected = naive(points, queries, among, k);
    let chosen: Vec<Candidate> = (0..queries.len())
        .flat_map(|at| found.candidates(at))
        .collect();
    let same = |found: &[Candidate], route: &str| {
        assert_eq!(found.len(), expected.len(), "{route}");
        for (at, (a, b)) in found.iter().zip(&expected).enumerate() {
            let (a, b) = ((a.row, a.squared.to_bits()), (b.row, b.squared.to_bits()));
            assert_eq!(a, b, "{route}: place {at}");
        }
    };
    same(&chosen, "chosen");
    if k == 0 || queries.is_empty() {
        return;
    }
    let direct = brute::direct(points, queries, among, k, &never).unwrap();
    same(&direct.into_slots(), "direct");
    if points.x().cols() > 0 {
        let tree = Tree::new(points, among);
        let found = tree.search_all(queries, k, &never).unwrap();
        same(&found.into_slots(), "tree");
        if let Some(frame) = Frame::new(points, queries, among) {
            let pairs = (queries, among);
            let found = brute::search::<f32>(points, pairs, &frame, k, &never).unwrap();
            same(&found.into_slots(), "single");
            let found = brute::search::<f64>(points, pairs, &frame, k, &never).unwrap();
            same(&found.into_slots(), "double");
        }
    }
}

fn every_pool(points: &Points, k: usize) {
    let all: Vec<usize> = (0..points.n_rows()).collect();
    let odd: Vec<usize> = all.iter().copied().filter(|i| i % 2 == 1).collect();
    let backwards: Vec<usize> = all.iter().rev().copied().collect();
    agree(points, &all, &all, k);
    agree(points, &all, &odd, k);
    agree(points, &odd, &all, k);
    agree(points, &backwards, &backwards, k);
}

fn normal(n: usize, d: usize, seed: u64) -> Matrix {
    let mut stream = stream(seed);
    Matrix::from_fn(n, d, |_, _| crate::testing::normal(&mut stream))
}

#[test]
fn near_duplicates_far_from_the_origin_are_told_apart() {
    // |a|^2 is 1e16 here: the product form has no digit left for these distances.
    let x = Matrix::from_fn(600, 2, |i, j| {
        if j == 0 {
            1e8 + f64::from(u32::try_from((i * 7919) % 600).unwrap()) * 1e-4
        } else {
            -1e8
        }
    });
    every_pool(&Points::numeric(x), 5);
}

#[test]
fn far_clusters_and_tiny_ones_are_told_apart() {
    for offset in [1e3, 1e7, 1e12] {
        let mut x = normal(700, 3, 5);
        for row in 0..700 {
            let scale = if row % 3 == 0 { 1e-9 } else { 1.0 };
            for value in x.row_mut(row) {
                *value = *value * scale + offset * (row % 5) as f64;
            }
        }
        every_pool(&Points::numeric(x), 7);
    }
}

#[test]
fn normal_rows_of_many_dimensions() {
    for (d, seed) in [(1, 1), (2, 2), (9, 3), (33, 4)] {
        every_pool(&Points::numeric(normal(800, d, seed)), 4);
    }
}

#[test]
fn nominal_columns_count_in_large_searches_too() {
    let n = 1500;
    let codes = (0..2 * n).map(|at| u32::try_from(at * 7919 % 5).unwrap());
    every_pool(
        &Points::with_gap(normal(n, 12, 6), codes.collect(), 2, 3.0),
        5,
    );
}

#[test]
fn ties_go_to_the_lower_row_across_blocks() {
    let x = Matrix::from_fn(1300, 1, |i, _| (i % 3) as f64);
    let all: Vec<usize> = (0..1300).collect();
    let points = Points::numeric(x);
    let found = nearest(&points, &all, &all, 4, &Deadline::NEVER).unwrap();
    assert_eq!(found.of(0), [3, 6, 9, 12]);
    assert_eq!(found.of(1299), [0, 3, 6, 9]);
    every_pool(&points, 4);
    every_pool(&Points::numeric(Matrix::zeros(700, 2)), 3);
}

#[test]
fn a_row_is_left_out_by_number_and_lists_are_as_long_as_there_are_others() {
    let points = Points::numeric(Matrix::zeros(3, 2));
    let found = nearest(&points, &[0, 1], &[0, 1], 5, &Deadline::NEVER).unwrap();
    assert_eq!(
        (found.k(), found.of(0), found.of(1)),
        (1, &[1][..], &[0][..])
    );
    let found = nearest(&points, &[2], &[0, 1], 5, &Deadline::NEVER).unwrap();
    assert_eq!((found.k(), found.of(0)), (2, &[0, 1][..]));
    let found = nearest(&points, &[2], &[2], 5, &Deadline::NEVER).unwrap();
    assert_eq!((found.k(), found.of(0)), (0, &[][..]));
}

#[test]
fn huge_and_tiny_values_keep_an_order() {
    let values = vec![1e300, -1e300, 0.0, 1e-200, 2e-200, 1.7e308, -1.7e308];
    let points = Points::numeric(Matrix::from_vec(7, 1, values).unwrap());
    agree(&points, &[0, 1, 2, 3, 4, 5, 6], &[0, 1, 2, 3, 4, 5, 6], 3);
    agree(&points, &[0, 1, 2, 3, 4], &[0, 1, 2, 3, 4], 3);
    agree(&points, &[2, 3, 4], &[2, 3, 4], 2);
}

#[test]
fn the_farthest_come_farthest_first() {
    let x = Matrix::from_vec(5, 1, vec![0.0, 4.0, -4.0, 1.0, 9.0]).unwrap();
    let points = Points::numeric(x);
    let all = [0, 1, 2, 3, 4];
    let found = farthest(&points, &[0, 4], &all, 3, &Deadline::NEVER).unwrap();
    assert_eq!(found.of(0), [4, 1, 2]);
    assert_eq!(found.squared_distances(0), [81.0, 16.0, 16.0]);
    assert_eq!(found.of(1), [2, 0, 3]);
}

#[test]
fn a_passed_deadline_ends_the_search() {
    let past = Deadline::at(std::time::Instant::now());
    std::thread::sleep(std::time::Duration::from_millis(2));
    let points = Points::numeric(normal(300, 2, 1));
    let all: Vec<usize> = (0..300).collect();
    let frame = Frame::new(&points, &all, &all).unwrap();
    let ends = [
        nearest(&points, &[0], &[1, 2], 1, &past).err(),
        brute::search::<f32>(&points, (&all, &all), &frame, 1, &past).err(),
        Tree::new(&points, &all).search_all(&all, 1, &past).err(),
    ];
    for end in ends {
        assert!(matches!(end, Some(StageError::Timeout(_))));
    }
}

#[test]
fn the_route_follows_the_data() {
    let route = |x: Matrix| {
        let points = Points::numeric(x);
        let all: Vec<usize> = (0..points.n_rows()).collect();
        match Route::choose(&points, &all, &all, 5) {
            Route::Direct => "direct",
            Route::Tree(_) => "tree",
            Route::Single(_) => "single",
            Route::Double(_) => "double",
        }
    };
    assert_eq!(route(normal(40, 3, 1)), "direct");
    assert_eq!(route(normal(4000, 2, 1)), "tree");
    assert_eq!(route(normal(2000, 30, 1)), "single");
    // A curve in many dimensions is of low dimension.
    let turn = |i: usize, j: usize| (i as f64 / 4000.0 + j as f64).sin();
    assert_eq!(route(Matrix::from_fn(4000, 30, turn)), "tree");
    let mut far = normal(2000, 30, 1);
    for row in 0..1000 {
        for value in far.row_mut(row) {
            *value += 1e6;
        }
    }
    assert_eq!(route(far), "double");
    assert_eq!(route(Matrix::zeros(4000, 0)), "direct");
}

proptest! {
    #[test]
    fn lists_are_those_of_the_double_loop(
        n in 2_usize..40,
        d in 0_usize..4,
        m in 0_usize..3,
        k in 1_usize..8,
        cells in proptest::collection::vec(0_u8..4, 40 * 7),
        gap in 0.0_f64..3.0,
        offset in prop_oneof![Just(0.0), Just(1e6)],
    ) {
        // Few distinct values: duplicates and ties everywhere.
        let x = Matrix::from_fn(n, d, |i, j| offset + f64::from(cells[i * 7 + j]) * 0.1);
        let codes = (0..n).flat_map(|i| (0..m).map(move |j| (i, j)))
            .map(|(i, j)| u32::from(cells[i * 7 + 4 + j] % 2)).collect();
        every_pool(&Points::with_gap(x, codes, m, gap), k);
    }
}
