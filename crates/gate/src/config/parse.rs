//! Reads format 1 of gate.toml.

use counterweight_config::{Diagnostic, Diagnostics, Fields, Section, Value, tables};
use counterweight_core::nearest;
use serde_json::json;

use super::{Claim, ClaimKind, GateConfig, Ignore, Scope};

const KINDS: [&str; 6] = [
    "better",
    "not-worse",
    "equivalent",
    "identical",
    "not-below-floor",
    "improvement-at-most",
];

pub(super) fn parse(file: &str, text: &str) -> Result<GateConfig, Vec<Diagnostic>> {
    let mut errors = Diagnostics::new(file);
    let root = counterweight_config::parse(text, None, &mut errors);
    if !errors.is_empty() {
        return Err(errors.into_sorted());
    }
    let config = read(&root, &mut errors);
    if errors.is_empty() {
        Ok(config)
    } else {
        Err(errors.into_sorted())
    }
}

/// The schema (JSON schema, draft 7) of gate files: whatever is asked for while each kind of claim is read.
pub fn gate_schema() -> serde_json::Value {
    let claim = |kind| format!("[[claim]]\nkind = \"{kind}\"\nfamily = [\"\"]\n");
    let claims = KINDS.map(claim).concat();
    let mut asked = Diagnostics::recording();
    let probe = format!("{claims}[[ignore]]\n");
    read(
        &counterweight_config::parse(&probe, None, &mut asked),
        &mut asked,
    );
    let title = "A gate of counterweight";
    asked.into_asked().schema(title, serde_json::Map::new())
}

fn read(root: &Fields, errors: &mut Diagnostics) -> GateConfig {
    let mut section = Section::new(root, "", 1, errors);
    if !section.has("format") {
        section.error("format", "missing", Some("add `format = 1`".into()));
    }
    // Formats are whole numbers, and 1 is exact.
    section.real("format", "1, the only format so far", |format| {
        (format - 1.0).abs() < f64::EPSILON
    });
    let default = GateConfig::default();
    let share = |value: f64| value > 0.0 && value < 1.0;
    let between = "between 0 and 1";
    let mut config = GateConfig {
        tolerance: section
            .real("tolerance", between, share)
            .unwrap_or(default.tolerance),
        alpha: section
            .real("alpha", between, share)
            .unwrap_or(default.alpha),
        require_power: section.flag("require_power"),
        ..default
    };
    let claims = section.node("claim");
    let ignores = section.node("ignore");
    section.finish();
    for (path, line, fields) in tables(claims, "claim", errors) {
        let section = Section::new(fields, path, first(fields, line), errors);
        config.claims.extend(claim(section, config.tolerance));
    }
    for (path, line, fields) in tables(ignores, "ignore", errors) {
        let section = Section::new(fields, path, first(fields, line), errors);
        config.ignores.extend(ignore(section));
    }
    config
}

/// The line of an entry's first key: where an editor's cursor is of more use than on the header.
fn first(fields: &Fields, header: usize) -> usize {
    let lines = fields.values().map(|(line, _)| *line);
    lines.min().unwrap_or(header)
}

fn claim(mut section: Section<'_, '_>, tolerance: f64) -> Option<Claim> {
    let line = section.line_of("");
    let reason = section.text("reason").unwrap_or_default();
    let kind = section.text("kind");
    let mut scope = Scope {
        corrections: names(&mut section, "correction"),
        families: names(&mut section, "family"),
        models: names(&mut section, "model"),
        datasets: names(&mut section, "dataset"),
        source: section.text("source"),
        ratio: None,
    };
    if let Some(source) = scope.source.as_deref()
        && !["synthetic", "real"].contains(&source)
    {
        let message = format!("`{source}` is not one of synthetic, real");
        section.error("source", message, None);
    }
    scope.ratio = band(&mut section);
    let Some(kind) = kind else {
        if !section.has("kind") {
            let hint = Some(format!("one of {}", KINDS.join(", ")));
            section.error("kind", "missing", hint);
        }
        return None;
    };
    let positive = |value: f64| value > 0.0 && value < 1.0;
    let above = "above 0 and below 1";
    let parsed = match kind.as_str() {
        "better" => Some(ClaimKind::Better {
            than: than(&mut section, &scope),
            margin: section
                .real("margin", "at least 0 and below 1", |m| {
                    (0.0..1.0).contains(&m)
                })
                .unwrap_or(0.0),
        }),
        "not-worse" => Some(ClaimKind::NotWorse {
            than: than(&mut section, &scope),
            margin: section.real("margin", above, positive).unwrap_or(tolerance),
        }),
        "equivalent" => Some(ClaimKind::Equivalent {
            than: than(&mut section, &scope),
            rope: section.real("rope", above, positive).unwrap_or(tolerance),
        }),
        "identical" => Some(ClaimKind::Identical {
            than: than(&mut section, &scope),
        }),
        "not-below-floor" => {
            if scope.source.as_deref() == Some("real") {
                section.error("source", "only populations have a known floor", None);
            }
            Some(ClaimKind::NotBelowFloor)
        }
        "improvement-at-most" => {
            if scope.ratio.is_some() {
                let message = "a method is compared with the baseline over whole datasets";
                section.error("ratio", message, Some("leave `ratio` out".into()));
            }
            if !section.has("at_most") {
                section.error("at_most", "missing", Some("add `at_most = 0.02`".into()));
            }
            section
                .real("at_most", above, positive)
                .map(|at_most| ClaimKind::ImprovementAtMost { at_most })
        }
        other => {
            let hint = nearest(other, KINDS).map(|near| format!("did you mean `{near}`?"));
            let message = format!("`{other}` is not one of {}", KINDS.join(", "));
            section.error("kind", message, hint);
            return None;
        }
    };
    section.finish();
    parsed.map(|kind| Claim {
        line,
        kind,
        scope,
        reason,
    })
}

/// One name or a list of them; empty when absent.
fn names(section: &mut Section<'_, '_>, key: &'static str) -> Vec<String> {
    let names = section.texts(key);
    if names.as_ref().is_some_and(Vec::is_empty) {
        section.error(key, "an empty list matches nothing", None);
    }
    names.unwrap_or_default()
}

/// The correction compared with, and that there is something to compare.
fn than(section: &mut Section<'_, '_>, scope: &Scope) -> String {
    if scope.corrections.is_empty() && scope.families.is_empty() {
        let hint = Some("add `correction = \"...\"` or `family = \"...\"`".into());
        section.error("correction", "missing", hint);
    }
    if !section.has("than") {
        let hint = Some("add the correction to compare with, `than = \"none\"`".into());
        section.error("than", "missing", hint);
    }
    let than = section.text("than").unwrap_or_default();
    if scope.corrections.contains(&than) {
        let message = format!("`{than}` is compared with itself");
        section.error("than", message, None);
    }
    than
}

/// `ratio = [10, 200]`.
fn band(section: &mut Section<'_, '_>) -> Option<(f64, f64)> {
    let end = || json!({ "type": "number", "minimum": 1 });
    let node = section.shaped(
        "ratio",
        || json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": end() }),
    )?;
    if let Value::List(items) = &node.value
        && let [low, high] = items.as_slice()
        && let (Some(low), Some(high)) = (low.number(), high.number())
        && low >= 1.0
        && low <= high
        && high.is_finite()
    {
        return Some((low, high));
    }
    let hint = Some("for example `ratio = [10, 200]`, both ends included".into());
    section.error(
        "ratio",
        "expected the two ends of a band of ratios, from 1",
        hint,
    );
    None
}

fn ignore(mut section: Section<'_, '_>) -> Option<Ignore> {
    let line = section.line_of("");
    let model = section.text("model");
    let correction = section.text("correction");
    let dataset = section.text("dataset");
    if model.is_none() && correction.is_none() && dataset.is_none() {
        let hint = Some("name a model, a correction or a dataset".into());
        section.error("", "an exemption for everything", hint);
    }
    let reason = section.text("reason").unwrap_or_default();
    if reason.trim().is_empty() {
        let hint = Some("say why, best with the number of an issue".into());
        section.error("reason", "missing", hint);
    }
    if !section.has("expires") {
        let hint = Some("add the last day on which it counts, `expires = 2027-01-31`".into());
        section.error("expires", "missing", hint);
    }
    let expires = section.date("expires");
    section.finish();
    Some(Ignore {
        line,
        model,
        correction,
        dataset,
        reason,
        expires: expires?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Lab;

    const GOOD: &str = "format = 1\nalpha = 0.01\n\n[[claim]]\nkind = \"better\"\n\
        correction = \"b\"\nthan = \"none\"\nmodel = [\"m\"]\nratio = [10, 200]\nmargin = 0.01\n\n\
        [[claim]]\nkind = \"equivalent\"\nfamily = \"thresholding\"\nthan = \"none\"\n\n\
        [[claim]]\nkind = \"not-below-floor\"\n\n[[claim]]\nkind = \"improvement-at-most\"\n\
        at_most = 0.02\n\n[[ignore]]\nmodel = \"m\"\nreason = \"issue 7\"\nexpires = 2027-01-31\n\n\
        [[ignore]]\ndataset = \"d0\"\nreason = \"issue 8\"\nexpires = \"2026-12-01\"\n";

    #[test]
    fn a_good_file_is_read() {
        let config = GateConfig::parse("gate.toml", GOOD).unwrap();
        assert!((config.tolerance - 0.005).abs() < f64::EPSILON);
        assert!((config.alpha - 0.01).abs() < f64::EPSILON);
        assert_eq!(config.require_power, None);
        let kinds: Vec<&str> = config.claims.iter().map(|claim| claim.kind.id()).collect();
        assert_eq!(
            kinds,
            [
                "better",
                "equivalent",
                "not-below-floor",
                "improvement-at-most"
            ]
        );
        assert_eq!(config.claims[0].scope.ratio, Some((10.0, 200.0)));
        assert_eq!(config.claims[0].line, 5);
        let ClaimKind::Equivalent { rope, .. } = config.claims[1].kind else {
            panic!("equivalent")
        };
        assert!((rope - 0.005).abs() < f64::EPSILON);
        assert_eq!(config.ignores[0].expires.to_string(), "2027-01-31");
        assert_eq!(config.ignores[1].expires.to_string(), "2026-12-01");
        assert_eq!(
            GateConfig::parse("gate.toml", "format = 1\n").unwrap(),
            GateConfig::default()
        );
    }

    /// All errors of a file at once, each with its line.
    #[test]
    fn errors_carry_line_key_and_hint() {
        let text = "tolerence = 0.1\nalpha = 2\nrequire_power = 1\n\
            [[claim]]\nkind = \"betterr\"\n\
            [[claim]]\nkind = \"better\"\ncorrection = \"b\"\nthan = \"b\"\nratio = [5]\n\
            [[claim]]\ncorrection = 3\n\
            [[claim]]\nkind = \"equivalent\"\nmargin = 0.1\n\
            [[claim]]\nkind = \"improvement-at-most\"\n\
            [[ignore]]\nreason = \"\"\n\
            [[ignore]]\nmodel = \"m\"\nreason = \"x\"\nexpires = \"soon\"\n";
        let problems = GateConfig::parse("gate.toml", text).unwrap_err();
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn broken_toml_is_one_error_with_its_line() {
        let problems = GateConfig::parse("gate.toml", "format = 1\nalpha = = 2\n").unwrap_err();
        assert_eq!(problems[0].line, Some(2));
        for bad in [
            "format = 2\n",
            "format = 1\ntolerance = nan\n",
            "format = 1\nalpha = inf\n",
        ] {
            assert!(GateConfig::parse("gate.toml", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_must_be_those_of_the_sweep() {
        let lab = Lab::new(3);
        let text = "format = 1\n[[claim]]\nkind = \"better\"\ncorrection = \"logit-adjst\"\n\
            than = \"nothing\"\nmodel = \"softmx\"\n[[claim]]\nkind = \"not-below-floor\"\n\
            dataset = \"d1\"\n[[ignore]]\ndataset = \"moons\"\nreason = \"x\"\nexpires = 2027-01-31\n";
        let problems = GateConfig::parse("gate.toml", text)
            .unwrap()
            .check("gate.toml", &lab.planned)
            .unwrap_err();
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(shown.join("\n"));
    }
}
