//! What every figure promises, checked on every figure of the gallery.

use std::sync::OnceLock;

use counterweight_plots::{
    CriticalDifference, Figure, HeatMap, PlotError, Theme, check_text, critical_difference, css,
    gain_curves, heat_map, text_boxes, well_formed,
};

#[path = "../examples/gallery/data.rs"]
mod data;
#[path = "../examples/gallery/figures.rs"]
mod figures;

/// Drawn once for all tests; bitmaps take most of the time.
fn gallery() -> &'static [(String, Figure)] {
    static GALLERY: OnceLock<Vec<(String, Figure)>> = OnceLock::new();
    GALLERY.get_or_init(|| figures::all().expect("the gallery draws"))
}

#[test]
fn every_figure_keeps_its_promises() {
    let mut faults = Vec::new();
    for (name, figure) in gallery() {
        if let Err(fault) = well_formed(&figure.svg) {
            faults.push(format!("{name}: {fault}"));
        }
        if let Err(found) = check_text(&figure.svg) {
            faults.extend(found.iter().map(|fault| format!("{name}: {fault}")));
        }
        let root = figure.svg.lines().next().unwrap_or_default();
        assert!(root.contains("role=\"img\""), "{name}");
        assert!(
            root.contains(&format!("aria-labelledby=\"{name}-title {name}-desc\"")),
            "{name}"
        );
        for part in figure.svg.split("id=\"").skip(1) {
            assert!(
                part.starts_with(&format!("{name}-")),
                "{name}: an id without the prefix"
            );
        }
        assert!(
            !figure.title.is_empty() && figure.description.ends_with('.'),
            "{name}"
        );
        for bad in ["NaN", "\"inf", ",inf", " inf", ",-0 "] {
            assert!(!figure.svg.contains(bad), "{name} holds {bad}");
        }
        assert!(figure.png.starts_with(b"\x89PNG\r\n\x1a\n"), "{name}");
        assert!(
            figure.png.len() < 1_000_000 && figure.svg.len() < 1_000_000,
            "{name}"
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_same_data_gives_the_same_bytes() {
    for ((name, first), (_, second)) in gallery()
        .iter()
        .zip(figures::all().expect("the gallery draws"))
    {
        assert_eq!(first.svg, second.svg, "{name}");
        assert!(first.png == second.png, "{name}: the PNGs differ");
    }
}

#[test]
fn empty_data_is_said_in_words() {
    let mut seen = 0;
    for (name, figure) in gallery() {
        if name.ends_with("-empty") {
            seen += 1;
            let words: Vec<String> = text_boxes(&figure.svg)
                .unwrap()
                .into_iter()
                .map(|b| b.text)
                .collect();
            assert_eq!(words.join(" "), figure.description, "{name}");
            assert!(
                figure.description.starts_with("No"),
                "{name}: {}",
                figure.description
            );
        }
    }
    assert_eq!(seen, 11, "one for each kind of figure");
}

#[test]
fn the_png_shows_what_the_svg_shows() {
    // The same scene: every figure's PNG has the size of its SVG at the theme's scale.
    for (name, figure) in gallery() {
        let decoder = png::Decoder::new(figure.png.as_slice());
        let info = decoder.read_info().unwrap();
        let (width, height) = info.info().size();
        let scale = if name.ends_with("column") || name.ends_with("narrow") {
            3
        } else {
            2
        };
        let theme = if name.ends_with("column") {
            Theme::column()
        } else if name.ends_with("narrow") {
            Theme {
                width: 356.0,
                ..Theme::page()
            }
        } else {
            Theme::page()
        };
        assert!(
            (f64::from(width) - theme.width * f64::from(scale)).abs() < 1.5,
            "{name}"
        );
        let root = figure.svg.lines().next().unwrap_or_default();
        let tall: f64 = root
            .split("height=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .and_then(|text| text.parse().ok())
            .unwrap();
        assert!(
            (f64::from(height) - tall * f64::from(scale)).abs() < 1.5,
            "{name}"
        );
    }
}

#[test]
fn every_colour_of_a_figure_is_one_of_the_page() {
    let css = css();
    for (name, figure) in gallery() {
        for part in figure.svg.split("var(").skip(1) {
            let var = part.split(',').next().unwrap_or_default();
            assert!(css.contains(&format!("{var}:#")), "{name}: {var}");
        }
        for property in ["fill:#", "stroke:#", "fill=\"#", "stroke=\"#"] {
            assert!(
                !figure.svg.contains(property),
                "{name}: a colour that no theme can change"
            );
        }
    }
}

/// The texts of a figure from top to bottom, as a reader meets them.
fn texts(figure: &Figure) -> String {
    let mut boxes = text_boxes(&figure.svg).expect("a figure can be read");
    boxes.sort_by(|a, b| a.top.total_cmp(&b.top).then(a.left.total_cmp(&b.left)));
    let lines: Vec<String> = boxes.into_iter().map(|b| b.text).collect();
    lines.join("\n")
}

#[test]
fn labels_of_the_main_figures() {
    let figures = gallery();
    for name in [
        "gain-5x5",
        "forest-1x1",
        "price-5x5",
        "heat-8x6",
        "tau-3-ratios",
        "cd-6",
        "mcm-5",
        "slope-14",
    ] {
        let (_, figure) = figures.iter().find(|(other, _)| other == name).unwrap();
        insta::assert_snapshot!(
            name,
            format!(
                "{}\n\n{}\n\n{}",
                figure.title,
                figure.description,
                texts(figure)
            )
        );
    }
}

fn data_error(result: Result<Figure, PlotError>) -> String {
    match result {
        Err(error @ PlotError::Data { .. }) => error.to_string(),
        other => format!("not an error about the data: {other:?}"),
    }
}

#[test]
fn numbers_that_are_none_are_named() {
    let gains = || data::gain_data(&["m"], &["smote".to_owned()], false);
    let mut gain = gains();
    gain.groups[0].panels[0].lines[0].dots[0].gain = f64::NAN;
    insta::assert_snapshot!(data_error(gain_curves(&gain, &Theme::page())), @"gain by ratio: a gain is NaN in smote of m; hint: leave out what is missing instead of passing a number that is none");
    let mut gain = gains();
    gain.groups[0].panels[0].lines[0].dots[0].place = 0.0;
    insta::assert_snapshot!(data_error(gain_curves(&gain, &Theme::page())), @"gain by ratio: a ratio is 0 in smote of m; hint: a logarithmic axis shows numbers above zero only");
    let mut gain = gains();
    gain.groups[0].panels[0].lines[0].dots[0].band = Some((0.5, 0.1));
    insta::assert_snapshot!(data_error(gain_curves(&gain, &Theme::page())), @"gain by ratio: an interval runs from 0.5 to 0.1 in smote of m; hint: give the lower end first");
    let heat = HeatMap {
        cells: vec![vec![None]],
        ..data::heat_data(Vec::new(), Vec::new())
    };
    insta::assert_snapshot!(data_error(heat_map(&heat, &Theme::page())), @"heat map: 1 row of cells for 0 datasets in the cells; hint: give one row of cells for each dataset and one cell for each correction");
    let ranks = CriticalDifference {
        cliques: vec![vec![0, 9]],
        ..data::rank_data(3, false)
    };
    insta::assert_snapshot!(data_error(critical_difference(&ranks, &Theme::page())), @"critical-difference diagram: a clique with method 9 of 3 in the cliques; hint: indices count the methods from zero");
}

/// The figures of the committed pages, which data of the real world shaped.
#[test]
fn no_text_of_the_committed_figures_overlaps() {
    let reports = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reports");
    let mut pages = 0;
    for report in std::fs::read_dir(reports).unwrap() {
        let path = report.unwrap().path().join("index.html");
        let Ok(page) = std::fs::read_to_string(&path) else {
            continue;
        };
        pages += 1;
        let path = path.display();
        let mut seen = 0;
        for rest in page.split("<svg ").skip(1) {
            let (inner, _) = rest.split_once("</svg>").unwrap();
            let svg = format!("<svg {inner}</svg>");
            let name = inner.split('"').nth(11).unwrap_or("a figure");
            well_formed(&svg).unwrap_or_else(|fault| panic!("{path}: {name}: {fault}"));
            check_text(&svg).unwrap_or_else(|faults| panic!("{path}: {name}: {faults:?}"));
            seen += 1;
        }
        assert!(seen >= 6, "{path}: {seen} figures");
    }
    assert!(pages >= 3, "{pages} pages");
}
