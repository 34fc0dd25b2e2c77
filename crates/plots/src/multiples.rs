//! Small multiples of line charts with shared axes and labels at the ends of the lines.
//!
//! Used by every figure that is "one panel a model, one line a something". Values come in the unit
//! of the axis, checked and sorted.

use super::axes::{self, Frame, extent};
use super::key::{self, Sample};
use super::scale::{Kind, Scale};
use super::scene::{Point, Scene, Stroke, Text};
use super::theme::{INK, MUTED, PAPER, REST, Style, Theme, size};
use super::{PlotError, font, labels};

/// One place on a line, in the units of the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) band: Option<(f64, f64)>,
}

/// A marked place with an interval along x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mark {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) interval: Option<(f64, f64)>,
}

/// A line with points in the order of x.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) places: Vec<Place>,
    pub(super) style: Style,
    /// Drawn in colour and labelled; else grey.
    pub(super) bright: bool,
    pub(super) mark: Option<Mark>,
}

impl Line {
    pub(super) fn mean(&self) -> f64 {
        self.places.iter().map(|p| p.y).sum::<f64>() / self.places.len() as f64
    }
}

/// One chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) note: String,
    pub(super) lines: Vec<Line>,
    /// A dotted line for comparison.
    pub(super) reference: Vec<Point>,
    /// Whether the places of a line are dots of their own and not joined.
    pub(super) apart: bool,
    /// All x of the lines, sorted.
    ladder: Vec<f64>,
}

impl Panel {
    pub(super) fn new(title: &str, note: &str, lines: Vec<Line>, reference: Vec<Point>) -> Self {
        let mut ladder: Vec<f64> = lines
            .iter()
            .flat_map(|line| line.places.iter().map(|p| p.x))
            .collect();
        ladder.sort_by(f64::total_cmp);
        ladder.dedup_by(|a, b| a.total_cmp(b).is_eq());
        Self {
            title: title.to_owned(),
            note: note.to_owned(),
            lines,
            reference,
            apart: false,
            ladder,
        }
    }

    /// Keeps the lowest few and the baseline bright when there are too many lines.
    pub(super) fn highlight(&mut self, theme: &Theme) {
        if self.lines.len() <= theme.max_lines {
            return;
        }
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        let cost = |line: usize| theme.quantity.cost(self.lines[line].mean());
        order.sort_by(|a, b| cost(*a).total_cmp(&cost(*b)));
        let keep = theme.max_lines.saturating_sub(2).max(1);
        for (rank, index) in order.into_iter().enumerate() {
            let line = &mut self.lines[index];
            line.bright = rank < keep || line.name == theme.baseline;
        }
    }

    fn bright(&self) -> impl Iterator<Item = (usize, &Line)> {
        self.lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.bright)
    }
}

/// What all panels share.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shared {
    pub(super) x_kind: Kind,
    pub(super) x_title: String,
    pub(super) y_title: String,
    /// Shown on the y axis in any case.
    pub(super) include: Option<f64>,
    /// Smallest span of the y axis, so that noise does not fill it.
    pub(super) least_span: f64,
    /// Names of the reference at its end and in the key.
    pub(super) reference: (String, String),
    /// Names in the order of the key.
    pub(super) order: Vec<String>,
    /// Markers at the points; off for dense curves.
    pub(super) markers: bool,
    /// Words below the places 1, 2 and so on in the place of numbers; empty for numbers.
    pub(super) words: Vec<String>,
    /// A thin vertical line at this x.
    pub(super) vertical: Option<f64>,
    /// A line of text below everything.
    pub(super) note: String,
}

const GAP: f64 = 11.5;
const SWATCH: f64 = 9.0;
const LEAD: f64 = 16.0;

/// Everything that is known once the panels have been measured.
struct Layout<'a> {
    panels: &'a [Panel],
    shared: &'a Shared,
    frames: Vec<Frame>,
    columns: usize,
    x: Scale,
    y: Scale,
    y_ticks: axes::Ticks,
    left: f64,
    labelled: bool,
    width: f64,
}

/// Lays out and draws the panels; there is at least one, and each has a line.
pub(super) fn draw(panels: &[Panel], shared: &Shared, theme: &Theme) -> Result<Scene, PlotError> {
    let layout = Layout::new(panels, shared, theme)?;
    let bottom = layout.frames.iter().map(|f| f.bottom).fold(0.0, f64::max);
    let entries = layout.key_entries();
    let inner = theme.width - 16.0;
    let key_top = bottom + 42.0;
    let mut height = bottom + 36.0;
    if !entries.is_empty() {
        height = key_top + key::measure(&entries, inner)?.0;
    }
    let mut notes = shared.note.clone();
    if panels.iter().flat_map(|p| &p.lines).any(|l| !l.bright) {
        if !notes.is_empty() {
            notes.push(' ');
        }
        notes.push_str("In colour: the lowest on average of each panel, and the baseline; in grey: the others.");
    }
    let notes = font::wrap(&notes, size::TICK, false, inner)?;
    let notes_top = height + 4.0;
    if !notes.is_empty() {
        height = notes_top + 12.0 * notes.len() as f64;
    }
    let mut scene = Scene::new(theme.width, height + 4.0);
    layout.draw(&mut scene, bottom)?;
    key::draw(&mut scene, &entries, (8.0, key_top), inner)?;
    for (i, line) in notes.into_iter().enumerate() {
        let at = (8.0, notes_top + 9.0 + 12.0 * i as f64);
        scene.text(Text::new(at, line, size::TICK, MUTED));
    }
    Ok(scene)
}

impl<'a> Layout<'a> {
    fn new(panels: &'a [Panel], shared: &'a Shared, theme: &Theme) -> Result<Self, PlotError> {
        let columns = if panels.len() > 1 && theme.width >= 500.0 {
            2
        } else {
            1
        };
        let plot_height = match panels.len() {
            1 => 250.0,
            2 => 190.0,
            _ => 150.0,
        };
        let values = panels.iter().flat_map(|panel| {
            let lines = panel.lines.iter().flat_map(|line| {
                line.places.iter().flat_map(|p| {
                    let (low, high) = p.band.filter(|_| line.bright).unwrap_or((p.y, p.y));
                    [p.y, low, high]
                })
            });
            lines.chain(panel.reference.iter().map(|p| p.1))
        });
        let (low, high) = extent(values.chain(shared.include)).unwrap_or((0.0, 1.0));
        let domain = axes::pad((low, high), shared.least_span);
        let across = panels.iter().flat_map(|panel| {
            let marks = panel.lines.iter().filter_map(|l| l.mark).flat_map(|mark| {
                let (low, high) = mark.interval.unwrap_or((mark.x, mark.x));
                [mark.x, low, high]
            });
            let reference = panel.reference.iter().map(|p| p.0);
            panel.ladder.iter().copied().chain(reference).chain(marks)
        });
        let across = extent(across.chain(shared.vertical)).unwrap_or((1.0, 10.0));
        let x_domain = match shared.x_kind {
            Kind::Log => axes::pad_log(across),
            Kind::Linear if !shared.words.is_empty() => (0.5, shared.words.len() as f64 + 0.5),
            Kind::Linear => {
                let air = ((across.1 - across.0) * 0.03).max(1e-3);
                (across.0 - air, across.1 + air)
            }
        };
        let y = Scale::new(Kind::Linear, domain, (plot_height, 0.0));
        let y_ticks = axes::y_ticks(&y, 6);
        let left = 16.0 + axes::label_width(&y_ticks)? + 6.0;
        let cell = (theme.width - left) / columns as f64;

        let referenced = panels.iter().any(|p| !p.reference.is_empty());
        let names = panels
            .iter()
            .flat_map(|panel| panel.bright().map(|(_, line)| line.name.as_str()))
            .chain(referenced.then_some(shared.reference.0.as_str()));
        let gutter = LEAD + SWATCH + 3.0 + font::widest(names, size::LABEL, false)? + 8.0;
        let most = panels
            .iter()
            .map(|p| p.bright().count() + 1)
            .max()
            .unwrap_or(0);
        let labelled = gutter <= cell * 0.46 && most <= labels::room(GAP, (0.0, plot_height));
        let gutter = if labelled { gutter } else { 12.0 };
        let frames = (0..panels.len())
            .map(|i| {
                let x0 = left + (i % columns) as f64 * cell;
                let y0 = (i / columns) as f64 * (plot_height + 32.0) + 21.0;
                Frame {
                    left: x0,
                    top: y0,
                    right: x0 + cell - gutter,
                    bottom: y0 + plot_height,
                }
            })
            .collect();
        Ok(Self {
            panels,
            shared,
            frames,
            columns,
            x: Scale::new(shared.x_kind, x_domain, (0.0, 1.0)),
            y,
            y_ticks,
            left,
            labelled,
            width: theme.width,
        })
    }

    fn key_entries(&self) -> Vec<(Sample, String)> {
        let mut entries = Vec::new();
        if self.labelled {
            return entries;
        }
        for name in &self.shared.order {
            let mut bright = self.panels.iter().flat_map(Panel::bright);
            if let Some((_, line)) = bright.find(|(_, line)| line.name == *name) {
                entries.push((Sample::Series(line.style), name.clone()));
            }
        }
        if self.panels.iter().any(|p| !p.reference.is_empty()) {
            entries.push((
                Sample::Line(reference_stroke()),
                self.shared.reference.1.clone(),
            ));
        }
        entries
    }

    fn draw(&self, scene: &mut Scene, bottom: f64) -> Result<(), PlotError> {
        for (i, (panel, frame)) in self.panels.iter().zip(&self.frames).enumerate() {
            let x = self.x.with_range((frame.left, frame.right));
            let y = self.y.with_range((frame.bottom, frame.top));
            let ticks = self.x_ticks(&x)?;
            axes::draw_y(scene, frame, &y, &self.y_ticks, i % self.columns == 0);
            axes::draw_x(
                scene,
                frame,
                &x,
                &ticks,
                i + self.columns >= self.panels.len(),
            );
            if let Some(value) = self.shared.vertical {
                let at = x.at(value);
                let stroke = Stroke::dashed(MUTED, 0.9, &[4.0, 3.0]);
                scene.line((at, frame.top), (at, frame.bottom), stroke);
            }
            self.header(scene, panel, frame)?;
            self.lines(scene, panel, &x, &y);
            if self.labelled {
                self.labels(scene, panel, frame, (&x, &y));
            }
        }
        let top = self.frames.first().map_or(0.0, |f| f.top);
        let middle = f64::midpoint(top, bottom);
        axes::y_title(scene, (11.0, middle), &self.shared.y_title, bottom - top)?;
        let right = self.frames.iter().map(|f| f.right).fold(0.0, f64::max);
        let text = font::shorten(&self.shared.x_title, size::LABEL, false, self.width - 8.0)?;
        let half = font::width(&text, size::LABEL, false)? / 2.0;
        let at = f64::midpoint(self.left, right).clamp(half + 2.0, self.width - half - 2.0);
        axes::x_title(scene, (at, bottom + 28.0), &text, self.width)
    }

    fn x_ticks(&self, x: &Scale) -> Result<axes::Ticks, PlotError> {
        if self.shared.words.is_empty() {
            return axes::x_ticks(x, 6);
        }
        let room = x.at(2.0) - x.at(1.0) - 4.0;
        let places = (1..=self.shared.words.len()).map(|place| place as f64);
        places
            .zip(&self.shared.words)
            .map(|(place, word)| Ok((place, font::shorten(word, size::TICK, false, room)?)))
            .collect()
    }

    fn header(&self, scene: &mut Scene, panel: &Panel, frame: &Frame) -> Result<(), PlotError> {
        let cell = (self.width - self.left) / self.columns as f64;
        let room = cell - 8.0;
        let at = (frame.left, frame.top - 7.0);
        let title = font::shorten(&panel.title, size::TITLE, true, room)?;
        let used = font::width(&title, size::TITLE, true)? + 7.0;
        scene.text(Text::new(at, title, size::TITLE, INK).bold());
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

    fn lines(&self, scene: &mut Scene, panel: &Panel, x: &Scale, y: &Scale) {
        // Context first, then the worst of the bright lines, so that the best lies on top.
        let mut order: Vec<usize> = (0..panel.lines.len()).collect();
        order.sort_by(|a, b| {
            let (a, b) = (&panel.lines[*a], &panel.lines[*b]);
            a.bright.cmp(&b.bright).then(b.mean().total_cmp(&a.mean()))
        });
        for index in order.iter().filter(|i| panel.lines[**i].bright) {
            band(scene, panel, *index, (x, y));
        }
        let reference: Vec<Point> = panel
            .reference
            .iter()
            .map(|(px, py)| (x.at(*px), y.at(*py)))
            .collect();
        if let [(_, level)] = reference[..] {
            scene.line((x.range.0, level), (x.range.1, level), reference_stroke());
        } else {
            scene.polyline(reference, reference_stroke());
        }
        for index in order {
            let line = &panel.lines[index];
            scene.with_tip(line.name.clone(), |scene| {
                for run in runs(&line.places, panel) {
                    let points: Vec<Point> = run
                        .iter()
                        .map(|p| (x.at(p.x) + dodge(panel, index), y.at(p.y)))
                        .collect();
                    if !line.bright {
                        if let [(px, py)] = points[..] {
                            scene.line((px - 2.0, py), (px + 2.0, py), Stroke::solid(REST, 1.0));
                        }
                        scene.polyline(points, Stroke::solid(REST, 0.9));
                        continue;
                    }
                    let style = line.style;
                    let alone = points.len() == 1;
                    scene.polyline(
                        points.clone(),
                        Stroke::dashed(style.ink, style.width, style.dash),
                    );
                    for point in points {
                        if self.shared.markers || alone {
                            scene.marker(point, style.shape, 2.5, (style.ink, style.hollow));
                        }
                    }
                }
                if let Some(mark) = line.mark {
                    let at = (x.at(mark.x), y.at(mark.y));
                    if let Some((low, high)) = mark.interval {
                        let (low, high) = (x.at(low), x.at(high));
                        let stroke = || Stroke::solid(line.style.ink, 1.2);
                        scene.line((low, at.1), (high, at.1), stroke());
                        for end in [low, high] {
                            scene.line((end, at.1 - 3.5), (end, at.1 + 3.5), stroke());
                        }
                    }
                    scene.marker(at, line.style.shape, 5.0, (PAPER, false));
                    scene.marker(
                        at,
                        line.style.shape,
                        3.6,
                        (line.style.ink, line.style.hollow),
                    );
                }
            });
        }
    }

    fn labels(&self, scene: &mut Scene, panel: &Panel, frame: &Frame, (x, y): (&Scale, &Scale)) {
        let mut entries: Vec<(&str, Option<Style>, Point)> = Vec::new();
        for (index, line) in panel.bright() {
            if let Some(end) = line.places.last() {
                let at = (x.at(end.x) + dodge(panel, index), y.at(end.y));
                entries.push((&line.name, Some(line.style), at));
            }
        }
        if let Some((px, py)) = panel.reference.last() {
            let end = if panel.reference.len() == 1 {
                frame.right
            } else {
                x.at(*px)
            };
            entries.push((&self.shared.reference.0, None, (end, y.at(*py))));
        }
        let wanted: Vec<f64> = entries.iter().map(|entry| entry.2.1).collect();
        let placed = labels::spread(&wanted, GAP, (frame.top + 2.0, frame.bottom));
        for ((name, style, end), level) in entries.into_iter().zip(placed) {
            let start = frame.right + LEAD;
            // Where a line ends early its leader crosses the panel: pale, not to pass for data.
            let far = frame.right - end.0 > 24.0;
            let ink = if far {
                REST
            } else {
                style.map_or(INK, |style| style.ink)
            };
            let elbow = frame.right + 4.0;
            scene.polyline(
                vec![
                    (end.0 + 4.0, end.1),
                    (elbow.max(end.0 + 4.0), end.1),
                    (start - 1.5, level),
                ],
                Stroke::solid(ink, 0.6),
            );
            if let Some(style) = style {
                let at = (start + SWATCH / 2.0, level);
                scene.marker(at, style.shape, 2.8, (style.ink, style.hollow));
            } else {
                scene.line((start, level), (start + SWATCH, level), reference_stroke());
            }
            let at = (start + SWATCH + 3.0, level + size::LABEL * font::MIDDLE);
            scene.text(Text::new(at, name, size::LABEL, INK));
        }
    }
}

fn reference_stroke() -> Stroke {
    Stroke::dashed(INK, 1.1, &[1.0, 2.2])
}

fn band(scene: &mut Scene, panel: &Panel, index: usize, (x, y): (&Scale, &Scale)) {
    let line = &panel.lines[index];
    let place = |px: f64, py: f64| (x.at(px) + dodge(panel, index), y.at(py));
    for run in runs(&line.places, panel) {
        let banded: Vec<(f64, (f64, f64))> = run
            .iter()
            .filter_map(|p| p.band.map(|band| (p.x, band)))
            .collect();
        if let [(px, (low, high))] = banded[..] {
            scene.line(
                place(px, low),
                place(px, high),
                Stroke::solid(line.style.ink, 1.0),
            );
            continue;
        }
        let lower = banded.iter().map(|(px, band)| place(*px, band.0));
        let upper = banded.iter().rev().map(|(px, band)| place(*px, band.1));
        scene.polygon(lower.chain(upper).collect(), line.style.ink, 0.14);
    }
}

/// Runs of neighbouring rungs of the ladder: a line is broken where it lacks one.
fn runs(places: &[Place], panel: &Panel) -> Vec<Vec<Place>> {
    let mut out: Vec<Vec<Place>> = Vec::new();
    let mut last = None;
    for place in places {
        let rung = panel
            .ladder
            .binary_search_by(|r| r.total_cmp(&place.x))
            .ok();
        match (out.last_mut(), rung, last) {
            (Some(run), Some(rung), Some(before)) if rung == before + 1 && !panel.apart => {
                run.push(*place);
            }
            _ => out.push(vec![*place]),
        }
        last = rung;
    }
    out
}

/// Sideways shift of a line when the points of a panel share an x and would hide each other.
fn dodge(panel: &Panel, index: usize) -> f64 {
    let n = panel.lines.len() as f64;
    if panel.ladder.len() > 1 && !panel.apart {
        0.0
    } else {
        (index as f64 - (n - 1.0) / 2.0) * 8.0_f64.min(90.0 / n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_where_it_lacks_a_rung() {
        let place = |x| Place {
            x,
            y: 0.0,
            band: None,
        };
        let mut panel = Panel::new("", "", Vec::new(), Vec::new());
        panel.ladder = vec![1.0, 2.0, 5.0, 10.0];
        let runs = runs(&[place(1.0), place(2.0), place(10.0)], &panel);
        assert_eq!(runs.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    }
}
