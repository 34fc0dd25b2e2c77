use super::*;

fn samples(n: usize) -> Samples {
    let x = Matrix::from_fn(n, 1, |i, _| i as f64);
    let texts: Vec<String> = (0..n).map(|i| (i % 2).to_string()).collect();
    Samples::numeric(x, Labels::from_texts(&texts)).unwrap()
}

#[test]
fn a_partition_keeps_rows_apart() {
    assert!(Partition::new(3, vec![0, 1], vec![1]).is_err());
    assert!(Partition::new(3, vec![0, 3], vec![1]).is_err());
    let (train, test) = Partition::new(4, vec![2, 0], vec![3])
        .unwrap()
        .cut_samples(&samples(4))
        .unwrap();
    assert_eq!(train.samples().x().column(0), [2.0, 0.0]);
    assert_eq!(test.features().column(0), [3.0]);
}

#[test]
fn every_training_row_is_scored_exactly_once() {
    let (train, _) = Partition::new(4, vec![0, 1, 2, 3], vec![])
        .unwrap()
        .cut_samples(&samples(4))
        .unwrap();
    let scores = |n: usize, value: f64| {
        Scores::log_probabilities(Matrix::from_fn(n, 2, |_, _| value)).unwrap()
    };
    let mut collected = OutOfFold::new(&train);
    collected.add(&[3, 0], scores(2, -1.0)).unwrap();
    assert!(collected.add(&[0], scores(1, -1.0)).is_err());
    assert!(collected.finish().is_err());
    let mut collected = OutOfFold::new(&train);
    collected.add(&[3, 0], scores(2, -1.0)).unwrap();
    collected.add(&[1, 2], scores(2, -2.0)).unwrap();
    let calib = collected.finish().unwrap();
    assert_eq!(calib.folds(), [0, 1, 1, 0]);
    assert_eq!(calib.scores().log().column(0), [-1.0, -2.0, -2.0, -1.0]);
}

#[test]
fn hold_out_splits_training_rows() {
    let (train, _) = Partition::new(4, vec![0, 1, 2, 3], vec![])
        .unwrap()
        .cut_samples(&samples(4))
        .unwrap();
    let (inside, held) = train.hold_out(&[1, 3]).unwrap();
    assert_eq!(inside.samples().x().column(0), [0.0, 2.0]);
    assert_eq!(held.features().column(0), [1.0, 3.0]);
}
