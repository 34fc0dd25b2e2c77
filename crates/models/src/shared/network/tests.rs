//! The gradient of every network under every kind of loss against differences, and the steps of the
//! solvers against their definitions.

use counterweight_core::{BatchScheme, Deadline, LossTerms, Matrix};
use rand::RngExt as _;
use serde_json::Value;

use super::layers::Network;
use super::objective::BatchLoss;
use super::shape::{Activation, Head, Shape};
use super::solver::{Solver, Steps};
use super::train::{Budget, Losses, Plan, Trainer};
use crate::shared::network::fit::HONOURS;
use crate::shared::task::Task;
use crate::testing::{blobs, offset, rng, train, weighted};

fn plan(batch_size: usize, l2: f64) -> Plan {
    Plan {
        solver: Solver::Adam,
        learning_rate: 0.1,
        decays: false,
        budget: Budget::Epochs(1),
        batch_size,
        l2,
        averages: false,
    }
}

/// Every kind of term, of `k` classes.
fn losses(k: usize) -> Vec<(&'static str, LossTerms)> {
    let plain = LossTerms::cross_entropy(k);
    let numbers: Vec<f64> = (0..k).map(|j| j as f64).collect();
    let weights: Vec<f64> = numbers.iter().map(|j| 0.5 + 2.0 * j).collect();
    let offsets: Vec<f64> = numbers.iter().map(|j| -1.5 * j).collect();
    let mut margins = plain.clone();
    margins.margins = Matrix::from_fn(k, k, |y, j| if y == j { 0.0 } else { 0.4 * (y + 1) as f64 });
    let mut factors = margins.clone();
    factors.factors = numbers.iter().map(|j| 1.0 / (1.0 + j)).collect();
    let mut focal = weighted(&weights);
    focal.focal = 2.0;
    let mut everything = factors.clone();
    everything.weights.clone_from(&weights);
    everything.focal = 0.7;
    everything.batch_tau = Some(1.5);
    let mut batch = plain.clone();
    batch.batch_tau = Some(-0.8);
    vec![
        ("plain", plain),
        ("weights", weighted(&weights)),
        ("offsets", offset(&offsets)),
        ("margins", margins),
        ("factors", factors),
        ("focal", focal),
        ("batch", batch),
        ("everything", everything),
    ]
}

#[test]
fn gradients_agree_with_differences() {
    let heads = [Head::Linear, Head::Cosine { scale: 4.0 }];
    let layers: [&[usize]; 4] = [&[], &[5], &[4, 3], &[4, 3, 3]];
    let mut checked = 0;
    for counts in [&[9, 6][..], &[7, 6, 4]] {
        let k = counts.len();
        let (x, y) = blobs(81, counts, 3);
        let data = train(&x, &y, k);
        for (name, terms) in losses(k) {
            let task = Task::new(&data, &terms, HONOURS).unwrap();
            for (at, hidden) in layers.iter().enumerate() {
                for activation in [Activation::Relu, Activation::Tanh] {
                    for head in heads {
                        let network = Network::new(Shape {
                            inputs: 3,
                            hidden: hidden.to_vec(),
                            scores: if k == 2 { 1 } else { k },
                            activation,
                            head,
                        });
                        let mut stream = rng(at as u64);
                        let mut theta = network.initialise(&mut stream);
                        // Biases too: at 0 a rectifier's kink is where a dead unit stands.
                        for t in &mut theta {
                            *t += 0.4 * (stream.random::<f64>() - 0.5);
                        }
                        let mut loss = BatchLoss::new(&task, &terms).unwrap();
                        let gap = worst_gap(&network, &mut loss, &theta, (&task.x, &task.y), k);
                        assert!(
                            gap < 2e-7,
                            "{name}, {k} classes, {hidden:?}, {activation:?}, {head:?}: {gap:.1e}"
                        );
                        checked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(checked, 2 * losses(2).len() * 4 * 2 * 2);
}

/// Largest gap between the gradient of both batches of eight or nine rows and differences.
fn worst_gap(
    network: &Network,
    loss: &mut BatchLoss,
    theta: &[f64],
    (x, classes): (&Matrix, &[u32]),
    k: usize,
) -> f64 {
    let plan = plan(9, 0.3);
    let scheme = Some(BatchScheme::SquareRoot);
    let mut worst = 0.0_f64;
    for scheme in [None, scheme] {
        let mut trainer = Trainer::new(network, &plan, (x, classes, None), k, scheme);
        trainer.draw(0.0, &mut rng(5));
        let mut gradient = vec![0.0; theta.len()];
        let mut unused = gradient.clone();
        let weight = loss.mean_weight(&trainer.final_shares());
        for batch in 0..2 {
            trainer.value_gradient(theta, (loss, weight), batch, &mut gradient);
            for j in 0..theta.len() {
                let mut value = |step: f64| {
                    let mut moved = theta.to_vec();
                    moved[j] += step;
                    trainer.value_gradient(&moved, (loss, weight), batch, &mut unused)
                };
                let step = 1e-5;
                let slope = (value(step) - value(-step)) / (2.0 * step);
                let gap = (slope - gradient[j]).abs() / (1.0 + gradient[j].abs());
                worst = worst.max(gap);
            }
        }
    }
    worst
}

#[test]
fn units_without_a_direction_pass_nothing_on_and_break_nothing() {
    // Rectifiers that are all dead: the last hidden outputs have length 0.
    let network = Network::new(Shape {
        inputs: 2,
        hidden: vec![3],
        scores: 3,
        activation: Activation::Relu,
        head: Head::Cosine { scale: 5.0 },
    });
    let mut theta = network.initialise(&mut rng(1));
    theta[6..9].fill(-100.0);
    let (x, y) = blobs(82, &[4, 4, 4], 2);
    let data = train(&x, &y, 3);
    let terms = LossTerms::cross_entropy(3);
    let task = Task::new(&data, &terms, HONOURS).unwrap();
    let mut loss = BatchLoss::new(&task, &terms).unwrap();
    let plan = plan(100, 0.0);
    let mut trainer = Trainer::new(&network, &plan, (&task.x, &task.y, None), 3, None);
    let mut gradient = vec![f64::NAN; theta.len()];
    let value = trainer.value_gradient(&theta, (&mut loss, 1.0), 0, &mut gradient);
    assert!((value - 3.0_f64.ln()).abs() < 1e-12);
    assert!(gradient.iter().all(|g| g.abs() < f64::MIN_POSITIVE));
}

#[test]
fn initial_weights_keep_the_scale_of_their_rule() {
    let network = Network::new(Shape {
        inputs: 200,
        hidden: vec![100, 50],
        scores: 3,
        activation: Activation::Relu,
        head: Head::Linear,
    });
    let theta = network.initialise(&mut rng(2));
    let (first, second) = (200 * 100, 100 * 50);
    let parts = [
        (0, first, 6.0 / 200.0),
        (first + 100, second, 6.0 / 100.0),
        (first + 100 + second + 50, 150, 6.0 / 53.0),
    ];
    for (start, n, bound) in parts {
        let weights = &theta[start..start + n];
        let largest = weights.iter().fold(0.0_f64, |a, w| a.max(w.abs()));
        assert!(largest <= f64::sqrt(bound) && largest > 0.9 * f64::sqrt(bound));
        // A uniform number in +-b has the variance b^2 / 3, its square 4 b^4 / 45.
        let variance = weights.iter().map(|w| w * w).sum::<f64>() / n as f64;
        let error = bound * (4.0 / 45.0 / n as f64).sqrt();
        assert!((variance - bound / 3.0).abs() < 4.0 * error);
    }
    assert!(theta[first..first + 100].iter().all(|b| b.abs() < 1e-300));
}

#[test]
fn solvers_step_as_defined() {
    let gradients = [[1.0, -2.0], [0.5, 4.0], [-3.0, 0.0]];
    // Adam by its definition with bias-corrected means; 1e-8 stands beside the root before correction.
    let mut theta = vec![1.0, 1.0];
    let mut steps = Steps::new(Solver::Adam, 2);
    let (mut m, mut v, mut expected) = ([0.0; 2], [0.0; 2], [1.0; 2]);
    for (t, g) in (1_i32..).zip(&gradients) {
        steps.step(&mut theta, g, 0.1);
        for j in 0..2 {
            m[j] = 0.9 * m[j] + 0.1 * g[j];
            v[j] = 0.999 * v[j] + 0.001 * g[j] * g[j];
            let root = (1.0 - 0.999_f64.powi(t)).sqrt();
            let fair = m[j] / (1.0 - 0.9_f64.powi(t));
            expected[j] -= 0.1 * fair / ((v[j].sqrt() + 1e-8) / root);
            assert!((theta[j] - expected[j]).abs() < 1e-12);
        }
    }
    // Momentum: the gradients fade by half a step; Nesterov adds what the next step would keep.
    for nesterov in [false, true] {
        let solver = Solver::Sgd {
            momentum: 0.5,
            nesterov,
        };
        let mut theta = vec![0.0, 0.0];
        let mut steps = Steps::new(solver, 2);
        for g in &gradients {
            steps.step(&mut theta, g, 0.1);
        }
        let sum = |j: usize| {
            let [a, b, c] = gradients.map(|g| g[j]);
            let moves = [a, 0.5 * a + b, 0.25 * a + 0.5 * b + c];
            if nesterov {
                let looking: f64 = moves.iter().zip([a, b, c]).map(|(v, g)| 0.5 * v + g).sum();
                -0.1 * looking
            } else {
                -0.1 * moves.iter().sum::<f64>()
            }
        };
        for (j, found) in theta.iter().enumerate() {
            assert!((found - sum(j)).abs() < 1e-12, "{nesterov}: {found}");
        }
    }
}

#[test]
fn steps_are_scikit_learns() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/goldens/models/mlp.json"
    ));
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 7);
    for case in &cases {
        let numbers = |value: &Value| -> Vec<f64> {
            let items = value.as_array().unwrap().iter();
            items.map(|v| v.as_f64().unwrap()).collect()
        };
        let rows: Vec<Vec<f64>> = case["x"].as_array().unwrap().iter().map(numbers).collect();
        let x = Matrix::from_vec(rows.len(), rows[0].len(), rows.concat()).unwrap();
        let wholes = |value: &Value| -> Vec<usize> {
            let items = value.as_array().unwrap().iter();
            items
                .map(|v| usize::try_from(v.as_u64().unwrap()).unwrap())
                .collect()
        };
        let classes = wholes(&case["y"]).into_iter();
        let y: Vec<u32> = classes.map(|k| u32::try_from(k).unwrap()).collect();
        let terms = weighted(&numbers(&case["weights"]));
        let k = terms.n_classes();
        let data = train(&x, &y, k);
        let task = Task::new(&data, &terms, HONOURS).unwrap();
        let network = Network::new(Shape {
            inputs: x.cols(),
            hidden: wholes(&case["hidden"]),
            scores: if k == 2 { 1 } else { k },
            activation: match case["activation"].as_str() {
                Some("tanh") => Activation::Tanh,
                _ => Activation::Relu,
            },
            head: Head::Linear,
        });
        let plan = Plan {
            solver: match case["solver"].as_str() {
                Some("sgd") => Solver::Sgd {
                    momentum: case["momentum"].as_f64().unwrap(),
                    nesterov: case["nesterov"].as_bool().unwrap(),
                },
                _ => Solver::Adam,
            },
            learning_rate: case["learning_rate"].as_f64().unwrap(),
            budget: Budget::Updates(usize::try_from(case["steps"].as_u64().unwrap()).unwrap()),
            ..plan(1000, case["alpha"].as_f64().unwrap())
        };
        let start = numbers(&case["start"]);
        assert_eq!(start.len(), network.n_parameters(), "{}", case["name"]);
        let mut losses = Losses {
            first: BatchLoss::new(&task, &terms).unwrap(),
            later: None,
        };
        let mut trainer = Trainer::new(&network, &plan, (&task.x, &task.y, None), k, None);
        let ends = (&mut rng(1), Deadline::NEVER);
        let found = trainer.run(start.clone(), &mut losses, None, ends).unwrap();
        let mut moved = 0.0_f64;
        for ((a, b), from) in found.theta.iter().zip(numbers(&case["end"])).zip(start) {
            assert!((a - b).abs() < 1e-9, "{}: {a} {b}", case["name"]);
            moved = moved.max((b - from).abs());
        }
        assert!(moved > 0.05, "{}: no step at all", case["name"]);
    }
}
