//! Imbalance ratio against balanced error (or regret): the main figure.
//!
//! Small multiples, one panel a model and one line a correction, over a common logarithmic axis of
//! ratios. Up to [`Theme::max_lines`] lines of a panel are drawn in colour with their 95 % bands;
//! beyond that the best of the panel by their mean stay, together with the baseline, and the rest
//! turns grey. Lines are named at their ends; when the names are too long for the panel, a key
//! below the panels takes over. A line that lacks a ratio which other lines of its panel have is
//! broken there instead of bridging the gap.

use super::axes::{self, Frame, extent};
use super::key::{self, Sample};
use super::scale::{Kind, Scale, fixed};
use super::scene::{Point, Scene, Stroke, Text};
use super::theme::{INK, MUTED, REST, Style, Theme, size};
use super::{Figure, Guard, PlotError, count, distinct, finish, font, labels, nothing};

/// What the vertical axis shows. Values are fractions; the axis is in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Mean of the error rates of the classes.
    BalancedError,
    /// Balanced error above that of the Bayes rule on the same rows.
    Regret,
}

impl Measure {
    fn axis(self) -> &'static str {
        match self {
            Self::BalancedError => "balanced error (%)",
            Self::Regret => "regret (points)",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::BalancedError => "Balanced error",
            Self::Regret => "Regret",
        }
    }
}

/// One place on a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioPoint {
    /// Largest over smallest class count, above zero.
    pub ratio: f64,
    /// Mean of the measure, a fraction.
    pub value: f64,
    /// Ends of the 95 % interval, fractions.
    pub band: Option<(f64, f64)>,
}

/// One correction in one panel.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioLine {
    /// Id of the correction.
    pub correction: String,
    /// In any order; a ratio at most once.
    pub points: Vec<RatioPoint>,
}

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioPanel {
    /// Id of the model.
    pub model: String,
    /// Short text beside it, such as `12 datasets`; may be empty.
    pub note: String,
    /// The corrections.
    pub lines: Vec<RatioLine>,
    /// Bayes-optimal value by ratio, fractions; empty where it is unknown.
    pub bayes: Vec<(f64, f64)>,
}

/// All panels.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioCurves {
    /// What the values are.
    pub measure: Measure,
    /// One a model.
    pub panels: Vec<RatioPanel>,
}

const NAME: &str = "imbalance ratio figure";
const GAP: f64 = 11.5;
const SWATCH: f64 = 9.0;

/// A line that has been checked, with points in the order of ratios.
struct Line<'a> {
    name: &'a str,
    points: Vec<RatioPoint>,
    style: Style,
    bright: bool,
}

impl Line<'_> {
    fn mean(&self) -> f64 {
        self.points.iter().map(|p| p.value).sum::<f64>() / self.points.len() as f64
    }
}

struct Panel<'a> {
    source: &'a RatioPanel,
    lines: Vec<Line<'a>>,
    bayes: Vec<Point>,
    ladder: Vec<f64>,
}

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for a ratio that is not above zero, a value that is not finite, an interval
/// with its ends swapped, or a correction or a ratio given twice.
pub fn ratio_curves(data: &RatioCurves, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!(
        "{} against imbalance ratio, by model and correction",
        data.measure.name()
    );
    let panels = check(data, theme)?;
    if panels.is_empty() {
        return nothing(
            theme,
            title,
            "No results to show: no model has a finished cell with a known imbalance ratio.",
        );
    }
    let layout = Layout::new(&panels, data.measure, theme)?;
    let mut scene = Scene::new(theme.width, layout.height);
    layout.draw(&mut scene, &panels, data.measure)?;
    finish(&scene, theme, title, describe(&panels, data.measure))
}

fn check<'a>(data: &'a RatioCurves, theme: &Theme) -> Result<Vec<Panel<'a>>, PlotError> {
    let guard = Guard { figure: NAME };
    let names = distinct(
        data.panels
            .iter()
            .flat_map(|panel| panel.lines.iter().map(|line| line.correction.as_str())),
    );
    let styles = theme.styles(&names);
    let mut panels = Vec::new();
    for panel in &data.panels {
        let mut lines: Vec<Line<'a>> = Vec::new();
        for line in &panel.lines {
            let place = format!("{} of {}", line.correction, panel.model);
            if lines.iter().any(|known| known.name == line.correction) {
                return Err(guard.error(
                    "a correction given twice".to_owned(),
                    &place,
                    "average its cells first",
                ));
            }
            for point in &line.points {
                guard.positive(point.ratio, "a ratio", &place)?;
                guard.finite(point.value, "a value", &place)?;
                if let Some(band) = point.band {
                    guard.interval(band, "an interval", &place)?;
                }
            }
            let mut points = line.points.clone();
            points.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
            if points.windows(2).any(|pair| pair[0].ratio >= pair[1].ratio) {
                return Err(guard.error(
                    "a ratio given twice".to_owned(),
                    &place,
                    "average its cells first",
                ));
            }
            let at = names.iter().position(|name| *name == line.correction);
            if let (Some(at), false) = (at, points.is_empty()) {
                lines.push(Line {
                    name: &line.correction,
                    points,
                    style: styles[at],
                    bright: true,
                });
            }
        }
        let mut bayes = panel.bayes.clone();
        for (ratio, value) in &bayes {
            guard.positive(*ratio, "a ratio", &panel.model)?;
            guard.finite(*value, "the Bayes-optimal value", &panel.model)?;
        }
        bayes.sort_by(|a, b| a.0.total_cmp(&b.0));
        if lines.is_empty() {
            continue;
        }
        highlight(&mut lines, theme);
        let mut ladder: Vec<f64> = lines
            .iter()
            .flat_map(|line| line.points.iter().map(|p| p.ratio))
            .collect();
        ladder.sort_by(f64::total_cmp);
        ladder.dedup_by(|a, b| a.total_cmp(b).is_eq());
        panels.push(Panel {
            source: panel,
            lines,
            bayes,
            ladder,
        });
    }
    Ok(panels)
}

/// Keeps the best few and the baseline bright when there are too many.
fn highlight(lines: &mut [Line<'_>], theme: &Theme) {
    if lines.len() <= theme.max_lines {
        return;
    }
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by(|a, b| lines[*a].mean().total_cmp(&lines[*b].mean()));
    let keep = theme.max_lines.saturating_sub(2).max(1);
    for (rank, index) in order.into_iter().enumerate() {
        lines[index].bright = rank < keep || lines[index].name == theme.baseline;
    }
}

struct Layout {
    height: f64,
    frames: Vec<Frame>,
    bottom_row: Vec<bool>,
    x: Scale,
    y: Scale,
    y_ticks: axes::Ticks,
    left: f64,
    labelled: bool,
    key: Vec<(Sample, String)>,
    key_top: f64,
    note: Option<String>,
    width: f64,
}

impl Layout {
    fn new(panels: &[Panel<'_>], measure: Measure, theme: &Theme) -> Result<Self, PlotError> {
        let columns = if panels.len() > 1 && theme.width >= 500.0 {
            2
        } else {
            1
        };
        let rows = panels.len().div_ceil(columns);
        let plot_height = match panels.len() {
            1 => 250.0,
            2 => 190.0,
            _ => 150.0,
        };
        let all = panels.iter().flat_map(|panel| {
            let values = panel.lines.iter().flat_map(|line| {
                let bright = line.bright;
                line.points.iter().flat_map(move |p| {
                    let (low, high) = p.band.filter(|_| bright).unwrap_or((p.value, p.value));
                    [p.value, low, high]
                })
            });
            values.chain(panel.bayes.iter().map(|p| p.1))
        });
        let (low, high) = extent(all).unwrap_or((0.0, 1.0));
        let low = if measure == Measure::Regret {
            low.min(0.0)
        } else {
            low
        };
        let domain = axes::pad((low * 100.0, high * 100.0), 2.0);
        let ratios = panels.iter().flat_map(|panel| {
            panel
                .ladder
                .iter()
                .copied()
                .chain(panel.bayes.iter().map(|p| p.0))
        });
        let x_domain = axes::pad_log(extent(ratios).unwrap_or((1.0, 10.0)));

        let y = Scale::new(Kind::Linear, domain, (plot_height, 0.0));
        let y_ticks = axes::y_ticks(&y, 6);
        let left = 16.0 + axes::label_width(&y_ticks)? + 6.0;

        let cell = (theme.width - left) / columns as f64;
        let names = panels.iter().flat_map(|panel| {
            let lines = panel
                .lines
                .iter()
                .filter(|line| line.bright)
                .map(|line| line.name);
            lines.chain((!panel.bayes.is_empty()).then_some("Bayes"))
        });
        let gutter = 14.0 + SWATCH + 4.0 + font::widest(names.clone(), size::LABEL, false)? + 8.0;
        let most = panels
            .iter()
            .map(|p| p.lines.iter().filter(|l| l.bright).count() + usize::from(!p.bayes.is_empty()))
            .max()
            .unwrap_or(0);
        let labelled = gutter <= cell * 0.46 && most <= labels::room(GAP, (0.0, plot_height + 4.0));
        let gutter = if labelled { gutter } else { 12.0 };

        let (header, footer) = (20.0, 10.0);
        let row_height = header + plot_height + footer;
        let mut frames = Vec::new();
        let mut bottom_row = Vec::new();
        for i in 0..panels.len() {
            let (row, column) = (i / columns, i % columns);
            let x0 = left + column as f64 * cell;
            let y0 = row as f64 * row_height + header;
            frames.push(Frame {
                left: x0,
                top: y0,
                right: x0 + cell - gutter,
                bottom: y0 + plot_height,
            });
            bottom_row.push(i + columns >= panels.len());
        }
        let mut bottom = rows as f64 * row_height + 8.0 + 16.0;
        let grey = panels
            .iter()
            .flat_map(|p| p.lines.iter())
            .any(|l| !l.bright);
        let mut entries = Vec::new();
        if !labelled {
            let mut seen: Vec<&str> = Vec::new();
            for line in panels
                .iter()
                .flat_map(|p| p.lines.iter())
                .filter(|l| l.bright)
            {
                if !seen.contains(&line.name) {
                    seen.push(line.name);
                    entries.push((Sample::Series(line.style), line.name.to_owned()));
                }
            }
            if panels.iter().any(|p| !p.bayes.is_empty()) {
                entries.push((Sample::Line(bayes_stroke()), "Bayes-optimal".to_owned()));
            }
        }
        let key_top = bottom + 6.0;
        if !entries.is_empty() {
            bottom = key_top + key::measure(&entries, theme.width - 16.0)?.0;
        }
        let note = grey.then(|| {
            "Coloured: the best of each panel and the baseline. Grey: all other corrections."
                .to_owned()
        });
        if note.is_some() {
            bottom += 16.0;
        }
        Ok(Self {
            height: bottom + 6.0,
            frames,
            bottom_row,
            x: Scale::new(Kind::Log, x_domain, (0.0, 1.0)),
            y,
            y_ticks,
            left,
            labelled,
            key: entries,
            key_top,
            note,
            width: theme.width,
        })
    }

    fn draw(
        &self,
        scene: &mut Scene,
        panels: &[Panel<'_>],
        measure: Measure,
    ) -> Result<(), PlotError> {
        for ((panel, frame), bottom) in panels.iter().zip(&self.frames).zip(&self.bottom_row) {
            let x = self.x.with_range((frame.left, frame.right));
            let y = self.y.with_range((frame.bottom, frame.top));
            let ticks = axes::x_ticks(&x, 6)?;
            axes::draw_y(
                scene,
                frame,
                &y,
                &self.y_ticks,
                (frame.left - self.left).abs() < 0.5,
            );
            axes::draw_x(scene, frame, &x, &ticks, *bottom);
            self.header(scene, panel.source, frame)?;
            draw_lines(scene, panel, &x, &y);
            if self.labelled {
                draw_labels(scene, panel, frame, (&x, &y));
            }
        }
        let top = self.frames.first().map_or(0.0, |f| f.top);
        let bottom = self.frames.last().map_or(0.0, |f| f.bottom);
        axes::y_title(
            scene,
            (11.0, f64::midpoint(top, bottom)),
            measure.axis(),
            bottom - top,
        )?;
        let right = self.frames.iter().map(|f| f.right).fold(0.0, f64::max);
        axes::x_title(
            scene,
            (f64::midpoint(self.left, right), bottom + 28.0),
            "imbalance ratio, largest to smallest class (log scale)",
            self.width - self.left,
        )?;
        key::draw(scene, &self.key, (8.0, self.key_top), self.width - 16.0)?;
        if let Some(note) = &self.note {
            let text = font::shorten(note, size::TICK, false, self.width - 16.0)?;
            scene.text(Text::new((8.0, self.height - 9.0), text, size::TICK, MUTED));
        }
        Ok(())
    }

    fn header(
        &self,
        scene: &mut Scene,
        panel: &RatioPanel,
        frame: &Frame,
    ) -> Result<(), PlotError> {
        let room = if self.labelled {
            self.width / 2.2
        } else {
            frame.right - frame.left
        };
        let room = room.min(self.width - frame.left - 4.0);
        let at = (frame.left, frame.top - 7.0);
        let model = font::shorten(&panel.model, size::TITLE, true, room)?;
        let used = font::width(&model, size::TITLE, true)? + 7.0;
        scene.text(Text::new(at, model, size::TITLE, INK).bold());
        if font::width(&panel.note, size::TICK, false)? <= room - used {
            scene.text(Text::new(
                (at.0 + used, at.1),
                &panel.note,
                size::TICK,
                MUTED,
            ));
        }
        Ok(())
    }
}

fn bayes_stroke() -> Stroke {
    Stroke::dashed(INK, 1.1, &[1.0, 2.2])
}

/// Runs of neighbouring rungs of the ladder.
fn runs(points: &[RatioPoint], ladder: &[f64]) -> Vec<Vec<RatioPoint>> {
    let mut out: Vec<Vec<RatioPoint>> = Vec::new();
    let mut last = None;
    for point in points {
        let rung = ladder
            .iter()
            .position(|r| r.total_cmp(&point.ratio).is_eq());
        match (out.last_mut(), rung, last) {
            (Some(run), Some(rung), Some(before)) if rung == before + 1 => run.push(*point),
            _ => out.push(vec![*point]),
        }
        last = rung;
    }
    out
}

/// Sideways shift of a line when all points of a panel share one ratio and would hide each other.
fn dodge(panel: &Panel<'_>, index: usize) -> f64 {
    if panel.ladder.len() > 1 {
        return 0.0;
    }
    (index as f64 - (panel.lines.len() - 1) as f64 / 2.0)
        * 8.0_f64.min(90.0 / panel.lines.len() as f64)
}

/// Context first, then the worst of the bright lines, so that the best lies on top.
fn drawing_order(panel: &Panel<'_>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..panel.lines.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&panel.lines[*a], &panel.lines[*b]);
        a.bright.cmp(&b.bright).then(b.mean().total_cmp(&a.mean()))
    });
    order
}

fn draw_lines(scene: &mut Scene, panel: &Panel<'_>, x: &Scale, y: &Scale) {
    let order = drawing_order(panel);
    let place = |index: usize, ratio: f64, value: f64| {
        (x.at(ratio) + dodge(panel, index), y.at(value * 100.0))
    };
    for index in &order {
        let line = &panel.lines[*index];
        if !line.bright {
            continue;
        }
        for run in runs(&line.points, &panel.ladder) {
            let banded: Vec<(&RatioPoint, (f64, f64))> = run
                .iter()
                .filter_map(|p| p.band.map(|band| (p, band)))
                .collect();
            if let [(point, (low, high))] = banded[..] {
                let ends = (
                    place(*index, point.ratio, low),
                    place(*index, point.ratio, high),
                );
                scene.line(ends.0, ends.1, Stroke::solid(line.style.ink, 1.0));
                continue;
            }
            let lower = banded
                .iter()
                .map(|(p, band)| place(*index, p.ratio, band.0));
            let upper = banded
                .iter()
                .rev()
                .map(|(p, band)| place(*index, p.ratio, band.1));
            scene.polygon(lower.chain(upper).collect(), line.style.ink, 0.14);
        }
    }
    let bayes: Vec<Point> = panel
        .bayes
        .iter()
        .map(|(ratio, value)| (x.at(*ratio), y.at(value * 100.0)))
        .collect();
    if let [(_, level)] = bayes[..] {
        scene.line((x.range.0, level), (x.range.1, level), bayes_stroke());
    } else {
        scene.polyline(bayes, bayes_stroke());
    }
    for index in order {
        let line = &panel.lines[index];
        scene.with_tip(line.name.to_owned(), |scene| {
            for run in runs(&line.points, &panel.ladder) {
                let points: Vec<Point> =
                    run.iter().map(|p| place(index, p.ratio, p.value)).collect();
                if !line.bright {
                    if let [(px, py)] = points[..] {
                        scene.line((px - 2.0, py), (px + 2.0, py), Stroke::solid(REST, 1.0));
                    }
                    scene.polyline(points, Stroke::solid(REST, 0.9));
                    continue;
                }
                let style = line.style;
                scene.polyline(
                    points.clone(),
                    Stroke::dashed(style.ink, style.width, style.dash),
                );
                for point in points {
                    scene.marker(point, style.shape, 2.5, (style.ink, style.hollow));
                }
            }
        });
    }
}

fn draw_labels(scene: &mut Scene, panel: &Panel<'_>, frame: &Frame, (x, y): (&Scale, &Scale)) {
    let mut entries: Vec<(&str, Option<Style>, Point)> = Vec::new();
    for (index, line) in panel.lines.iter().enumerate().filter(|(_, l)| l.bright) {
        if let Some(end) = line.points.last() {
            let at = (
                x.at(end.ratio) + dodge(panel, index),
                y.at(end.value * 100.0),
            );
            entries.push((line.name, Some(line.style), at));
        }
    }
    if let Some((ratio, value)) = panel.bayes.last() {
        let end = if panel.bayes.len() == 1 {
            frame.right
        } else {
            x.at(*ratio)
        };
        entries.push(("Bayes", None, (end, y.at(value * 100.0))));
    }
    let wanted: Vec<f64> = entries.iter().map(|entry| entry.2.1).collect();
    let half = GAP / 2.0 - 2.0;
    let placed = labels::spread(
        &wanted,
        GAP,
        (frame.top - 2.0 + half, frame.bottom + 2.0 - half + 2.0),
    );
    for ((name, style, end), level) in entries.into_iter().zip(placed) {
        let start = frame.right + 14.0;
        let ink = style.map_or(INK, |style| style.ink);
        scene.polyline(
            vec![
                (end.0 + 4.0, end.1),
                (frame.right + 3.0, end.1),
                (start - 2.0, level),
            ],
            Stroke::solid(ink, 0.6),
        );
        if let Some(style) = style {
            scene.marker(
                (start + SWATCH / 2.0 - 1.0, level),
                style.shape,
                2.8,
                (style.ink, style.hollow),
            );
        } else {
            scene.line(
                (start - 1.0, level),
                (start + SWATCH - 1.0, level),
                bayes_stroke(),
            );
        }
        let at = (start + SWATCH + 3.0, level + size::LABEL * font::MIDDLE);
        scene.text(Text::new(at, name, size::LABEL, INK));
    }
}

fn describe(panels: &[Panel<'_>], measure: Measure) -> String {
    let mut text = format!(
        "Line charts over a logarithmic axis of imbalance ratios, {}; each line is a correction, shaded bands are 95 % intervals.",
        count(panels.len(), "panel")
    );
    for panel in panels {
        let Some(ratio) = panel.ladder.last() else {
            continue;
        };
        let at_end = |line: &Line<'_>| {
            line.points
                .last()
                .filter(|p| p.ratio.total_cmp(ratio).is_eq())
                .map(|p| p.value)
        };
        let best = panel
            .lines
            .iter()
            .filter_map(|line| at_end(line).map(|value| (line.name, value)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((name, value)) = best {
            text.push_str(&format!(
                " {}: at ratio {}, the lowest {} is {} by {} among {}.",
                panel.source.model,
                fixed(*ratio, i32::from(ratio.fract().abs() > 1e-9)),
                measure.name().to_lowercase(),
                match measure {
                    Measure::BalancedError => format!("{} %", fixed(value * 100.0, 1)),
                    Measure::Regret => format!("{} points", fixed(value * 100.0, 1)),
                },
                name,
                count(panel.lines.len(), "correction"),
            ));
        }
    }
    text
}
