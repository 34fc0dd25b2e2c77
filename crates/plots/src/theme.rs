//! Colours, line styles and sizes shared by all figures.
//!
//! Every colour is a CSS custom property with a fallback (`var(--cw-c1,#0072B2)`): an SVG file on
//! its own shows the light colours, a page that holds [`css`] in a style element switches all its
//! inlined figures between light and dark.

use std::fmt::Write as _;

/// A colour with a name in CSS, a light and a dark value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ink {
    pub(super) var: &'static str,
    pub(super) light: u32,
    pub(super) dark: u32,
}

impl Ink {
    const fn new(var: &'static str, light: u32, dark: u32) -> Self {
        Self { var, light, dark }
    }

    /// Red, green, blue of the light value.
    pub(super) fn rgb(self) -> (u8, u8, u8) {
        let [_, r, g, b] = self.light.to_be_bytes();
        (r, g, b)
    }
}

/// The ground.
pub(super) const PAPER: Ink = Ink::new("--cw-paper", 0xFF_FF_FF, 0x16_18_1C);
/// Text and the lines that matter.
pub(super) const INK: Ink = Ink::new("--cw-ink", 0x1A_1A_1A, 0xE8_E8_E8);
/// Axes, tick labels, secondary text.
pub(super) const MUTED: Ink = Ink::new("--cw-muted", 0x55_55_55, 0xA9_AD_B3);
/// Grid.
pub(super) const GRID: Ink = Ink::new("--cw-grid", 0xE4_E4_E4, 0x33_37_3D);
/// Lines that are context only.
pub(super) const REST: Ink = Ink::new("--cw-rest", 0xB4_B4_B4, 0x5F_65_6D);
/// Below the centre of a diverging scale: better.
pub(super) const LOW: Ink = Ink::new("--cw-low", 0x00_5A_92, 0x1F_7D_BD);
/// Above the centre of a diverging scale: worse.
pub(super) const HIGH: Ink = Ink::new("--cw-high", 0xA8_45_00, 0xC2_5A_10);
/// Text on a strong colour.
pub(super) const ON_STRONG: Ink = Ink::new("--cw-on-strong", 0xFF_FF_FF, 0xFF_FF_FF);

/// Okabe and Ito's colours in an order in which neighbours differ most, also in grey, then four
/// darker relatives. Their yellow is left out (1.3 to 1 against white) and their black is
/// [`INK`], kept for the baseline.
const SERIES: [Ink; 10] = [
    Ink::new("--cw-c1", 0x00_72_B2, 0x3D_9B_DC),
    Ink::new("--cw-c2", 0xD5_5E_00, 0xE8_7A_26),
    Ink::new("--cw-c3", 0x00_9E_73, 0x1F_B5_8B),
    Ink::new("--cw-c4", 0xCC_79_A7, 0xDB_90_BB),
    Ink::new("--cw-c5", 0xE6_9F_00, 0xEB_AE_2B),
    Ink::new("--cw-c6", 0x56_B4_E9, 0x6F_C3_F0),
    Ink::new("--cw-c7", 0x7A_2E_0E, 0xF0_B3_92),
    Ink::new("--cw-c8", 0x00_53_40, 0x9A_E0_C8),
    Ink::new("--cw-c9", 0x6B_2A_6F, 0xC9_A6_E0),
    Ink::new("--cw-c10", 0x6F_6A_12, 0xD9_D4_7A),
];

const INKS: [Ink; 8] = [PAPER, INK, MUTED, GRID, REST, LOW, HIGH, ON_STRONG];

/// Marker shapes; the second channel beside colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
    Plus,
    Cross,
}

const SHAPES: [Shape; 7] = [
    Shape::Circle,
    Shape::Square,
    Shape::Up,
    Shape::Diamond,
    Shape::Down,
    Shape::Cross,
    Shape::Plus,
];

/// Dash patterns in units of the line width; empty is solid.
const DASHES: [&[f64]; 5] = [
    &[],
    &[5.0, 2.0],
    &[1.5, 1.7],
    &[7.0, 2.0, 1.5, 2.0],
    &[9.0, 3.0],
];

/// How one series is drawn wherever it occurs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    pub(super) ink: Ink,
    pub(super) shape: Shape,
    pub(super) hollow: bool,
    pub(super) dash: &'static [f64],
    pub(super) width: f64,
}

/// The metric that a set of figures is about. Values are given as they are and drawn times a
/// hundred, so that a point is a hundredth of every metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    /// The metric in words, such as `balanced error`.
    pub name: String,
    /// Whether it is a rate, read in percent.
    pub percent: bool,
    /// Whether less is better.
    pub lower_is_better: bool,
}

impl Default for Quantity {
    fn default() -> Self {
        Self {
            name: "balanced error".to_owned(),
            percent: true,
            lower_is_better: true,
        }
    }
}

impl Quantity {
    /// The name at the beginning of a title.
    pub(super) fn title(&self) -> String {
        let mut letters = self.name.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect()
        })
    }

    /// What stands along the axis.
    pub(super) fn axis(&self) -> String {
        let unit = if self.percent { "%" } else { "×100" };
        format!("{} ({unit})", self.name)
    }

    /// The sign behind a number in a sentence, with its space.
    pub(super) fn unit(&self) -> &'static str {
        if self.percent { " %" } else { "" }
    }

    /// The value turned so that less is better.
    pub(super) fn cost(&self, value: f64) -> f64 {
        if self.lower_is_better { value } else { -value }
    }
}

/// The look of a set of figures that belong together.
///
/// Lengths are CSS pixels (96 to the inch).
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Width of the figure: 336 for a column of a paper (3.5 in), 672 for the full width (7 in).
    pub width: f64,
    /// Put before every id inside the SVG; must differ between figures inlined in one page.
    pub prefix: String,
    /// Name of the series that everything is compared with; drawn in black, always labelled.
    pub baseline: String,
    /// All series in a fixed order, so that a series looks alike in every figure. Names missing
    /// here follow in the order in which a figure meets them.
    pub order: Vec<String>,
    /// The metric that the figures are about.
    pub quantity: Quantity,
    /// Pixels of the PNG a CSS pixel, 1 to 6; 2 is 192 dots an inch. With 0 there is no PNG.
    pub png_scale: u32,
    /// Most lines of one panel that are drawn in colour and labelled; beyond it the best few are
    /// kept and the rest turns grey.
    pub max_lines: usize,
}

impl Default for Theme {
    fn default() -> Self {
        Self::page()
    }
}

impl Theme {
    /// Full width, 7 in.
    pub fn page() -> Self {
        Self {
            width: 672.0,
            prefix: "fig".to_owned(),
            baseline: "none".to_owned(),
            order: Vec::new(),
            quantity: Quantity::default(),
            png_scale: 2,
            max_lines: 8,
        }
    }

    /// A column of a two-column paper, 3.5 in.
    pub fn column() -> Self {
        Self {
            width: 336.0,
            png_scale: 3,
            ..Self::page()
        }
    }

    /// The same theme with another prefix for ids.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// The same theme with a fixed order of series.
    #[must_use]
    pub fn with_order(mut self, order: &[String]) -> Self {
        order.clone_into(&mut self.order);
        self
    }

    /// The styles of some series, baseline included, in the order given.
    pub(super) fn styles(&self, names: &[&str]) -> Vec<Style> {
        let mut known: Vec<&str> = self
            .order
            .iter()
            .map(String::as_str)
            .filter(|name| *name != self.baseline)
            .collect();
        for name in names {
            if *name != self.baseline && !known.contains(name) {
                known.push(name);
            }
        }
        names
            .iter()
            .map(|name| match known.iter().position(|other| other == name) {
                None => Style {
                    ink: INK,
                    shape: Shape::Circle,
                    hollow: false,
                    dash: &[],
                    width: 1.9,
                },
                // Five dashes and seven shapes have no common divisor, so that the first 35
                // series differ in dash or shape alone, whatever becomes of their colours.
                Some(at) => Style {
                    ink: SERIES[at % SERIES.len()],
                    shape: SHAPES[at % SHAPES.len()],
                    hollow: at % 2 == 1,
                    dash: DASHES[at % DASHES.len()],
                    width: 1.6,
                },
            })
            .collect()
    }
}

/// Relative luminance of a colour as WCAG 2 defines it, 0 to 1.
pub(super) fn luminance(rgb: u32) -> f64 {
    let [_, r, g, b] = rgb.to_be_bytes();
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// Text sizes in CSS pixels; 8 px is 6 pt, the least that print keeps legible.
pub(super) mod size {
    /// Panel titles, bold.
    pub(crate) const TITLE: f64 = 11.0;
    /// Axis titles and labels of lines.
    pub(crate) const LABEL: f64 = 10.0;
    /// Tick labels.
    pub(crate) const TICK: f64 = 9.0;
    /// Numbers in cells, notes.
    pub(crate) const SMALL: f64 = 8.0;
}

/// The custom properties of all figures, light by default, dark where the reader prefers it or
/// where the root element carries `data-theme="dark"`; print is always light.
///
/// A page that inlines figures puts this in a style element once.
pub fn css() -> String {
    let block = |dark: bool| {
        INKS.iter()
            .chain(&SERIES)
            .fold(String::new(), |mut out, ink| {
                let value = if dark { ink.dark } else { ink.light };
                let _infallible = write!(out, "{}:#{value:06X};", ink.var);
                out
            })
    };
    format!(
        ":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=\"light\"]){{{dark}}}}}\n@media screen{{:root[data-theme=\"dark\"]{{{dark}}}}}\n",
        light = block(false),
        dark = block(true),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(a: u32, b: u32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_has_the_contrast_that_wcag_asks_for() {
        for text in [INK, MUTED] {
            assert!(contrast(text.light, PAPER.light) >= 4.5, "{}", text.var);
            assert!(contrast(text.dark, PAPER.dark) >= 4.5, "{}", text.var);
        }
        for pole in [LOW, HIGH] {
            assert!(contrast(ON_STRONG.light, pole.light) >= 4.5, "{}", pole.var);
            assert!(contrast(ON_STRONG.dark, pole.dark) >= 4.3, "{}", pole.var);
        }
    }

    #[test]
    fn series_differ_in_a_channel_besides_colour() {
        let names: Vec<String> = (0..40).map(|i| format!("m{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let styles = Theme::page().styles(&names);
        for (i, a) in styles.iter().enumerate() {
            for b in &styles[..i] {
                assert!(
                    a.dash != b.dash
                        || a.shape != b.shape
                        || a.hollow != b.hollow
                        || a.ink != b.ink
                );
            }
        }
        // Without any colour, the first 35 are still told apart by dash and shape.
        for (i, a) in styles[..35].iter().enumerate() {
            for b in &styles[..i] {
                assert!(a.dash != b.dash || a.shape != b.shape);
            }
        }
    }

    #[test]
    fn a_series_keeps_its_style_between_figures() {
        let order: Vec<String> = ["none", "smote", "weighted", "threshold"]
            .map(str::to_owned)
            .to_vec();
        let theme = Theme::page().with_order(&order);
        let all = theme.styles(&["none", "smote", "weighted", "threshold"]);
        let some = theme.styles(&["threshold", "none"]);
        assert_eq!(some[0], all[3]);
        assert_eq!(some[1], all[0]);
        assert_eq!(all[0].ink, INK);
    }

    #[test]
    fn css_names_every_colour_in_both_themes() {
        let css = css();
        for ink in INKS.iter().chain(&SERIES) {
            assert_eq!(
                css.matches(&format!("{}:", ink.var)).count(),
                3,
                "{}",
                ink.var
            );
        }
    }
}
