//! Pictures from plain numbers, and the number formats that they share with sentences and tables ([`mod@format`]).
//!
//! Figures are pure functions from plain numbers to SVG and PNG.
//!
//! Every figure is a function `fn(&Data, &Theme) -> Result<Figure, PlotError>`. It knows nothing
//! of records or statistics; the caller hands in what shall be seen, and gets an SVG text (for the
//! page and for a paper), a PNG of the same picture, a title and a description in words.
//!
//! # How a figure is made
//!
//! The figure lays out a *scene*, a flat list of lines, areas, markers and texts in CSS pixels.
//! The scene is written as SVG text by our own writer and as PNG by plotters' bitmap backend. The
//! rejected alternative is plotters' chart layer on its own SVG backend: its legend lies on the
//! data, a dashed line becomes many lines, text is scaled by the line height of the font, colours
//! are fixed, and a reader with a screen reader finds no title. What plotters does well, drawing
//! into a bitmap, it does here; layout is ours, because collision-free labels need it to be.
//!
//! # Promises, each held by a test on every figure
//!
//! - The first child of `svg` is `title`, then `desc`, `role="img"`; ids carry [`Theme::prefix`].
//! - No two texts overlap and none leaves the picture ([`check_text`]), measured with the font.
//! - Colours are custom properties with a fallback ([`css`]), told apart in grey by marker and dash.
//! - The same data gives the same bytes.
//! - Empty data gives a figure that says so; numbers that are not finite are an error that says
//!   where they are, never a point left out in silence.
//!
//! # Examples
//!
//! ```
//! use counterweight_plots::{GainAxis, GainCurves, Theme, gain_curves};
//!
//! let figure = gain_curves(&GainCurves { axis: GainAxis::Ratio, groups: Vec::new() }, &Theme::page())?;
//! assert!(figure.svg.contains("<title"));
//! # Ok::<(), counterweight_plots::PlotError>(())
//! ```

mod ablation;
mod axes;
mod bitmap;
mod calibration_front;
mod check;
mod comparison_matrix;
mod critical_difference;
mod dash;
mod font;
mod forest;
pub mod format;
mod gain_curves;
mod grid;
mod heat_map;
mod key;
mod labels;
mod leak_arrows;
mod multiples;
mod population_map;
mod price_dots;
mod rank_slope;
mod reliability;
mod scale;
mod scene;
mod svg;
mod theme;

pub use ablation::{
    AblationCurve, AblationPanel, AblationPoint, Ablations, BestSetting, Spacing, ablations,
};
pub use calibration_front::{CalibrationFront, CalibrationPoint, calibration_front};
pub use check::{Fault, TextBox, check_text, text_boxes, well_formed};
pub use comparison_matrix::{Comparison, ComparisonMatrix, comparison_matrix};
pub use critical_difference::{CriticalDifference, critical_difference};
pub use forest::{Estimate, Forest, ForestGroup, ForestRow, forest};
pub use gain_curves::{GainAxis, GainCurves, GainDot, GainGroup, GainLine, GainPanel, gain_curves};
pub use heat_map::{HeatMap, heat_map};
pub use leak_arrows::{LeakArrows, LeakPanel, leak_arrows};
pub use population_map::{PopulationMap, population_map};
pub use price_dots::{PriceDots, PricePanel, price_dots};
pub use rank_slope::{RankChange, RankSlope, rank_slope};
pub use reliability::{ReliabilityDot, ReliabilityGrid, ReliabilityPanel, reliability_grid};
pub use theme::{Quantity, Theme, css};

use scene::{Anchor, Scene, Text};

/// A finished figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The picture as SVG text, ready to be inlined in a page or written to a file.
    pub svg: String,
    /// The same picture as PNG.
    pub png: Vec<u8>,
    /// What is shown, in one line.
    pub title: String,
    /// What is to be seen, in sentences, for those who cannot see it.
    pub description: String,
}

/// Why a figure cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A number or a name that cannot be shown.
    #[error("{figure}: {what} in {place}; hint: {hint}")]
    Data {
        /// Figure that was asked for.
        figure: &'static str,
        /// What is wrong.
        what: String,
        /// Where in the data.
        place: String,
        /// What to try.
        hint: &'static str,
    },
    /// The font that is built into the program cannot be read.
    #[error("the built-in font is damaged; hint: rebuild from a clean checkout")]
    Font,
    /// The picture could not be drawn or encoded.
    #[error(
        "cannot draw the bitmap: {0}; hint: the SVG of the figure does not need it, try a smaller `png_scale`"
    )]
    Bitmap(String),
}

/// Checks numbers on their way in.
#[derive(Debug, Clone, Copy)]
struct Guard {
    figure: &'static str,
}

impl Guard {
    fn error(self, what: String, place: &str, hint: &'static str) -> PlotError {
        PlotError::Data {
            figure: self.figure,
            what,
            place: place.to_owned(),
            hint,
        }
    }

    fn twice(self, what: &str, place: &str) -> PlotError {
        self.error(
            format!("{what} given twice"),
            place,
            "average its cells first",
        )
    }

    fn finite(self, value: f64, name: &str, place: &str) -> Result<f64, PlotError> {
        if value.is_finite() {
            Ok(value)
        } else {
            Err(self.error(
                format!("{name} is {value}"),
                place,
                "leave out what is missing instead of passing a number that is none",
            ))
        }
    }

    fn positive(self, value: f64, name: &str, place: &str) -> Result<f64, PlotError> {
        if self.finite(value, name, place)? > 0.0 {
            Ok(value)
        } else {
            Err(self.error(
                format!("{name} is {value}"),
                place,
                "a logarithmic axis shows numbers above zero only",
            ))
        }
    }

    fn interval(
        self,
        (low, high): (f64, f64),
        name: &str,
        place: &str,
    ) -> Result<(f64, f64), PlotError> {
        self.finite(low, name, place)?;
        self.finite(high, name, place)?;
        if low <= high {
            Ok((low, high))
        } else {
            Err(self.error(
                format!("{name} runs from {low} to {high}"),
                place,
                "give the lower end first",
            ))
        }
    }
}

fn finish(
    scene: &Scene,
    theme: &Theme,
    title: String,
    description: String,
) -> Result<Figure, PlotError> {
    let words = svg::Words {
        title: &title,
        description: &description,
        prefix: &theme.prefix,
    };
    let svg = svg::render(scene, &words);
    // A figure for a page alone needs no bitmap.
    let png = match theme.png_scale {
        0 => Vec::new(),
        scale => bitmap::render(scene, &words, scale)?,
    };
    Ok(Figure {
        svg,
        png,
        title,
        description,
    })
}

/// A figure that says why there is nothing to see.
fn nothing(theme: &Theme, title: String, why: &str) -> Result<Figure, PlotError> {
    let lines = font::wrap(why, theme::size::LABEL, false, theme.width - 32.0)?;
    let mut scene = Scene::new(theme.width, 40.0 + 15.0 * lines.len() as f64);
    for (i, line) in lines.into_iter().enumerate() {
        let at = (theme.width / 2.0, 33.0 + 15.0 * i as f64);
        scene.text(Text::new(at, line, theme::size::LABEL, theme::MUTED).anchored(Anchor::Middle));
    }
    finish(&scene, theme, title, why.to_owned())
}

/// Distinct names in the order of their first appearance.
fn distinct<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut out: Vec<&str> = Vec::new();
    for name in names {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

/// `1 dataset`, `12 datasets`.
fn count(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}
