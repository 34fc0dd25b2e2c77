//! What must hold of every page, degenerate and large ones too.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::reading::{design, markdown, report};
use common::{Design, copies, records};

#[test]
fn degenerate_sweeps_have_sensible_pages() {
    let designs = [
        design(&[], &[0], &[0]),
        design(&[0], &[0, 1, 2, 3], &[0, 1, 5, 8]),
        design(&[2, 3, 4, 5, 6, 7], &[0], &[0]),
        design(&[2, 3, 4, 5, 6, 7], &[2], &[0, 5, 6, 8]),
        design(&[4, 5], &[0], &[5]),
        design(&[2, 3], &[0, 2], &[1, 2]),
    ];
    for design in designs {
        let records = records(&design);
        let report = report(&records);
        let page = visible(&report.index_html);
        for word in ["NaN", "inf ", "-0.0 ", "None", "Some("] {
            assert!(
                !page.contains(word),
                "{word} in the page of {:?}",
                design.data
            );
        }
        assert!(page.contains("Answer"));
        check_page(&report.index_html);
        for (name, text) in report.markdown.iter().chain(&report.latex) {
            assert!(!text.contains("NaN"), "{name}");
        }
    }
    let one = report(&records(&design(&[0], &[0], &[0, 1])));
    assert!(one.index_html.contains("supports no claim about others"));
    assert!(report(&[]).index_html.contains("no records yet"));
}

/// The page without style, script and figures.
fn visible(page: &str) -> String {
    let mut text = page.to_owned();
    for (open, close) in [
        ("<style", "</style>"),
        ("<script", "</script>"),
        ("<svg", "</svg>"),
    ] {
        while let Some(start) = text.find(open) {
            let end = text[start..].find(close).unwrap() + start + close.len();
            text.replace_range(start..end, "");
        }
    }
    text
}

/// What must hold of every page: nothing from outside, headings in order, named tables and figures.
fn check_page(page: &str) {
    for outside in [
        "<img",
        "<iframe",
        "@import",
        "src=",
        "url(",
        "fetch(",
        "XMLHttpRequest",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    for link in page.split("href=\"").skip(1) {
        let target = link.split('"').next().unwrap();
        let inside = target.starts_with('#') || target == "data:,";
        let file = target.starts_with("tables/") || target.starts_with("plots/");
        assert!(inside || file, "{target}");
    }
    assert_eq!(page.matches("<h1").count(), 1);
    let text = visible(page);
    let mut level = 0;
    for heading in text.split("<h").skip(1) {
        let Some(found) = heading.chars().next().and_then(|c| c.to_digit(10)) else {
            continue;
        };
        assert!(found <= level + 1, "h{found} after h{level}");
        level = found;
    }
    for table in text.split("<table").skip(1) {
        let table = table.split("</table>").next().unwrap();
        assert!(table.contains("<caption"));
        assert_eq!(
            table.matches("<th ").count(),
            table.matches("scope=").count(),
            "{table}"
        );
    }
    for svg in page.split("<svg").skip(1) {
        let inside = svg.split_once('>').unwrap().1;
        assert!(
            inside.trim_start().starts_with("<title"),
            "first child of svg"
        );
    }
    let mut ids = std::collections::BTreeSet::new();
    for id in page.split(" id=\"").skip(1) {
        let id = id.split('"').next().unwrap();
        assert!(ids.insert(id), "id {id} twice");
    }
    for target in page.split("href=\"#").skip(1) {
        let target = target.split('"').next().unwrap();
        assert!(ids.contains(target), "{target} is nowhere");
    }
}

#[test]
fn the_full_page_holds_its_promises() {
    let report = report(&records(&Design::full()));
    check_page(&report.index_html);
    assert!(
        report.index_html.len() < 1_000_000,
        "{}",
        report.index_html.len()
    );
    assert!(markdown(&report, "summary").len() < 65_536);
}

#[test]
fn a_large_sweep_stays_within_its_limits() {
    let design = Design {
        repeats: 1,
        folds: 2,
        ..Design::full()
    };
    let large = copies(&records(&design), 4, 3);
    let report = report(&large);
    assert!(
        report.index_html.len() < 1_500_000,
        "{}",
        report.index_html.len()
    );
    check_page(&report.index_html);
    let summary = markdown(&report, "summary");
    assert!(summary.len() < 65_536, "{}", summary.len());
    for (name, page) in &report.model_pages {
        assert_eq!(page.matches("<h1").count(), 1, "{name}");
        assert!(page.contains("href=\"../index.html\""), "{name}");
    }
}
