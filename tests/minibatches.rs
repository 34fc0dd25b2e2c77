//! Corrections that live in minibatches: where they run, what they do there, and where they do not apply.

use crate::common::{Place, mixed_csv};

const SWEEP: &str = "format = 1\nseed = 3\n\
    [[population]]\nkind = \"gaussian-pair\"\nn_train = 1500\nimbalance_ratio = 20\n\
    [[model]]\nkind = \"mlp\"\nepochs = 20\n\
    [[model]]\nkind = \"softmax-sgd\"\n\
    [[model]]\nkind = \"softmax-regression\"\n\
    [[model]]\nkind = \"random-forest\"\ntrees = 10\n\
    [[correction]]\nid = \"none\"\n\
    [[correction]]\nid = \"even\"\nresample = { kind = \"batch-balanced\" }\n\
    [[correction]]\nid = \"even+adjust\"\nresample = { kind = \"batch-balanced\" }\ndecide = { kind = \"logit-adjust\" }\n\
    [[correction]]\nid = \"root\"\nresample = { kind = \"batch-balanced\", scheme = \"square-root\" }\n\
    [[correction]]\nid = \"root+adjust\"\nresample = { kind = \"batch-balanced\", scheme = \"square-root\" }\ndecide = { kind = \"logit-adjust\" }\n\
    [[correction]]\nid = \"late\"\nresample = { kind = \"batch-balanced\", scheme = \"progressive\" }\n\
    [[correction]]\nid = \"batch-prior\"\nloss = { kind = \"batch-prior\" }\n\
    [[correction]]\nid = \"deferred\"\nloss = { kind = \"deferred\", at = 0.5 }\n\
    [[correction]]\nid = \"bias\"\nloss = { kind = \"bias-init\" }\n";

const MINIBATCHES: [&str; 2] = ["mlp", "softmax-sgd"];

#[test]
fn minibatch_corrections_run_where_minibatches_are_and_nowhere_else() {
    let place = Place::with_sweep(SWEEP);
    let records = place.run_demo(0);
    for row in &records.rows {
        let (model, correction) = (row.text("model"), row.text("correction"));
        if MINIBATCHES.contains(&model) || correction == "none" {
            assert_eq!(row.text("outcome"), "ok", "{model}, {correction}");
            continue;
        }
        assert_eq!(
            row.text("outcome"),
            "not-applicable",
            "{model}, {correction}"
        );
        let why = match correction {
            "batch-prior" => "margins from minibatches",
            "deferred" => "schedule",
            "bias" => "initial output bias",
            _ => "minibatches of a changed composition",
        };
        assert!(
            row.text("reason").contains(why),
            "{model}, {correction}: {}",
            row.text("reason")
        );
    }
    let families = [
        ("even", "resampling"),
        ("even+adjust", "combination"),
        ("batch-prior", "logit-adjustment"),
        ("bias", "logit-adjustment"),
        ("deferred", "margin"),
    ];
    for (correction, family) in families {
        let row = records.one(&[("model", "mlp"), ("correction", correction)]);
        assert_eq!(row.text("family"), family);
    }
    for model in MINIBATCHES {
        let of = |correction: &str| records.one(&[("model", model), ("correction", correction)]);
        let error = |correction: &str| of(correction).real("balanced_error");
        // The floor is .0786; plain cross-entropy has about .18 at this ratio.
        assert!(error("none") > 0.13, "{model}: {}", error("none"));
        for correction in [
            "even",
            "late",
            "batch-prior",
            "deferred",
            "even+adjust",
            "root+adjust",
        ] {
            let found = error(correction);
            assert!(
                found < error("none") - 0.03,
                "{model}, {correction}: {found}"
            );
        }
        // Draws that are even leave nothing to adjust; the square root leaves half.
        assert_eq!(
            of("even").text("recalls"),
            of("even+adjust").text("recalls")
        );
        assert!(error("root+adjust") < error("root") - 0.01, "{model}");
    }
    // Where training starts is no correction of a convex model.
    let of = |correction: &str| {
        let row = records.one(&[("model", "softmax-sgd"), ("correction", correction)]);
        row.real("balanced_error")
    };
    assert!((of("bias") - of("none")).abs() < 0.01);

    // The same numbers whatever the number of threads.
    place
        .call(&[
            "run",
            "demo",
            "--quiet",
            "--no-report",
            "--fresh",
            "--jobs",
            "1",
        ])
        .ends_with(0);
    assert_eq!(place.records("demo"), records);
}

#[test]
fn nominal_columns_and_tuned_decisions_go_with_minibatches() {
    let place = Place::with_sweep(
        "format = 1\n[protocol]\ntest = 0.4\n\
         [[dataset]]\npath = \"own.csv\"\ntarget = \"y\"\n\
         [[model]]\nkind = \"mlp\"\nhidden = [8, 4]\nepochs = 10\nbatch_size = 5\nearly_stopping = true\n\
         [[correction]]\nresample = { kind = \"batch-balanced\" }\n\
         decide = { kind = \"tuned-threshold\", metric = \"balanced-error\" }\n\
         [[correction]]\nresample = { kind = \"batch-balanced\" }\nloss = { kind = \"batch-prior\" }\n",
    );
    place.write("demo/own.csv", &mixed_csv(&[60, 20], 4));
    let records = place.run_demo(0);
    assert_eq!(records.rows.len(), 2);
    assert_eq!(records.distinct("outcome"), ["ok"]);
}

#[test]
fn networks_that_cannot_be_are_refused_at_planning() {
    let refused = |line: &str| {
        let place = Place::with_sweep(&format!(
            "format = 1\n[[population]]\nkind = \"gaussian-pair\"\n[[model]]\nkind = \"mlp\"\n{line}\n[[correction]]\nid = \"none\"\n"
        ));
        place.call(&["run", "demo", "--dry-run"]).ends_with(2).err
    };
    for line in [
        "hidden = [8, 8, 8, 8]",
        "hidden = [0]",
        "learning_rate = -0.1",
        "batch_size = 0",
        "epochs = 0",
        "activation = \"rely\"",
        "scale = 0",
        "validation = 1.0",
    ] {
        let said = refused(line);
        let key = line.split(' ').next().unwrap();
        assert!(
            said.contains(key) && said.contains("sweep.toml:6"),
            "{line}: {said}"
        );
    }
    assert!(refused("activation = \"rely\"").contains("relu"));
}
