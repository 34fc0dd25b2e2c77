//! A figure as a list of shapes, before it becomes SVG or PNG.
//!
//! Lengths are CSS pixels, x to the right, y downwards.

use super::theme::{Ink, Shape};

/// A point in CSS pixels.
pub(super) type Point = (f64, f64);

/// A filled area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fill {
    pub(super) ink: Ink,
    /// 0 to 1.
    pub(super) opacity: f64,
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stroke {
    pub(super) ink: Ink,
    pub(super) width: f64,
    /// Lengths of dash and gap in units of the width; empty is solid.
    pub(super) dash: Vec<f64>,
}

impl Stroke {
    pub(super) fn solid(ink: Ink, width: f64) -> Self {
        Self {
            ink,
            width,
            dash: Vec::new(),
        }
    }

    pub(super) fn dashed(ink: Ink, width: f64, dash: &[f64]) -> Self {
        Self {
            ink,
            width,
            dash: dash.to_vec(),
        }
    }
}

/// Where a text lies relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text on one line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    /// Point on the baseline.
    pub(super) at: Point,
    pub(super) words: String,
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) anchor: Anchor,
    pub(super) ink: Ink,
    /// Turned by a quarter against the clock: reads upwards.
    pub(super) upwards: bool,
}

impl Text {
    pub(super) fn new(at: Point, text: impl Into<String>, size: f64, ink: Ink) -> Self {
        Self {
            at,
            words: text.into(),
            size,
            bold: false,
            anchor: Anchor::Start,
            ink,
            upwards: false,
        }
    }

    pub(super) fn anchored(mut self, anchor: Anchor) -> Self {
        self.anchor = anchor;
        self
    }

    pub(super) fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    pub(super) fn upwards(mut self) -> Self {
        self.upwards = true;
        self
    }
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Polyline(Vec<Point>, Stroke),
    Polygon(Vec<Point>, Fill),
    /// Left, top, width, height.
    Rect([f64; 4], Fill),
    Marker {
        at: Point,
        shape: Shape,
        radius: f64,
        ink: Ink,
        hollow: bool,
    },
    Text(Text),
    /// Everything up to the matching [`Item::TipEnd`] shows this text under the pointer.
    Tip(String),
    TipEnd,
}

/// A drawing with its size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) items: Vec<Item>,
}

impl Scene {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            items: Vec::new(),
        }
    }

    pub(super) fn line(&mut self, from: Point, to: Point, stroke: Stroke) {
        self.polyline(vec![from, to], stroke);
    }

    pub(super) fn polyline(&mut self, points: Vec<Point>, stroke: Stroke) {
        if points.len() > 1 {
            self.items.push(Item::Polyline(points, stroke));
        }
    }

    pub(super) fn polygon(&mut self, points: Vec<Point>, ink: Ink, opacity: f64) {
        if points.len() > 2 {
            self.items
                .push(Item::Polygon(points, Fill { ink, opacity }));
        }
    }

    pub(super) fn rect(&mut self, sides: [f64; 4], ink: Ink, opacity: f64) {
        self.items.push(Item::Rect(sides, Fill { ink, opacity }));
    }

    pub(super) fn marker(&mut self, at: Point, shape: Shape, radius: f64, paint: (Ink, bool)) {
        self.items.push(Item::Marker {
            at,
            shape,
            radius,
            ink: paint.0,
            hollow: paint.1,
        });
    }

    pub(super) fn text(&mut self, text: Text) {
        if !text.words.is_empty() {
            self.items.push(Item::Text(text));
        }
    }

    /// Draws within a group that shows `tip` under the pointer.
    pub(super) fn with_tip(&mut self, tip: String, draw: impl FnOnce(&mut Self)) {
        self.items.push(Item::Tip(tip));
        draw(self);
        self.items.push(Item::TipEnd);
    }
}

/// Outline of a marker, for shapes that are filled; the circle and the crosses are drawn otherwise.
pub(super) fn outline(shape: Shape, (x, y): Point, r: f64) -> Vec<Point> {
    match shape {
        Shape::Square => {
            let s = r * 0.89;
            vec![
                (x - s, y - s),
                (x + s, y - s),
                (x + s, y + s),
                (x - s, y + s),
            ]
        }
        Shape::Diamond => {
            let s = r * 1.25;
            vec![(x, y - s), (x + s, y), (x, y + s), (x - s, y)]
        }
        Shape::Up => {
            let (w, h) = (r * 1.16, r * 1.1);
            vec![(x, y - h), (x + w, y + h * 0.8), (x - w, y + h * 0.8)]
        }
        Shape::Down => {
            let (w, h) = (r * 1.16, r * 1.1);
            vec![(x, y + h), (x - w, y - h * 0.8), (x + w, y - h * 0.8)]
        }
        Shape::Circle | Shape::Plus | Shape::Cross => Vec::new(),
    }
}

/// The two strokes of the crosses; nothing for other shapes.
pub(super) fn strokes(shape: Shape, (x, y): Point, r: f64) -> Vec<[Point; 2]> {
    let d = r * 0.85;
    match shape {
        Shape::Plus => vec![
            [(x - r * 1.15, y), (x + r * 1.15, y)],
            [(x, y - r * 1.15), (x, y + r * 1.15)],
        ],
        Shape::Cross => vec![
            [(x - d, y - d), (x + d, y + d)],
            [(x - d, y + d), (x + d, y - d)],
        ],
        _ => Vec::new(),
    }
}
