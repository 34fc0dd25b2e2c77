//! Where to look at a population, and a small picture of it in letters.

use counterweight_core::{ColumnKind, Population, Seed, limit};
use counterweight_numeric::linalg::{add_scaled, dot};

/// A plane through the features: the two features themselves, or where there are more the plane of the class means.
#[derive(Clone, Debug)]
pub struct Plane {
    origin: Vec<f64>,
    axes: [Vec<f64>; 2],
    /// Whether the features are codes.
    codes: bool,
    /// What is worth seeing along the first axis: nearly all rows.
    pub across: (f64, f64),
    /// The same along the second; `None` for a single feature.
    pub up: Option<(f64, f64)>,
}

/// Rows of each class that show how far it reaches.
const ROWS: usize = 400;

impl Plane {
    /// The plane to look at this population in. Cost: 400 rows a class.
    pub fn of(population: &dyn Population) -> Self {
        let (d, k) = (population.n_features(), population.n_classes());
        let key = Seed(1).stage("picture");
        let sample = |class| population.sample(class, ROWS, &mut key.clone().number(class).open());
        let drawn: Vec<_> = (0..k).map(sample).collect();
        let mean = |class: usize| match population.moments(class) {
            Some((mean, _)) => mean,
            None => (0..d)
                .map(|j| drawn[class].column(j).iter().sum::<f64>() / ROWS as f64)
                .collect(),
        };
        let kinds = population.kinds();
        let codes = kinds.iter().any(|kind| *kind != ColumnKind::Numeric);
        let unit = |j: usize| {
            (0..d)
                .map(|i| f64::from(u8::from(i == j)))
                .collect::<Vec<f64>>()
        };
        let mut plane = Self {
            origin: vec![0.0; d],
            axes: [vec![0.0; d], vec![0.0; d]],
            codes,
            across: (0.0, 1.0),
            up: None,
        };
        let mut wanted: Vec<Vec<f64>> = Vec::new();
        if d > 2 && !codes {
            let means: Vec<Vec<f64>> = (0..k).map(mean).collect();
            for mean in &means {
                add_scaled(&mut plane.origin, 1.0 / k as f64, mean);
                let mut apart = mean.clone();
                add_scaled(&mut apart, -1.0, &means[0]);
                wanted.push(apart);
            }
        }
        wanted.extend((0..d).map(unit));
        // Gram and Schmidt's, of the first two that point anywhere new.
        let mut found = 0;
        for mut axis in wanted {
            for known in &plane.axes[..found] {
                let along = dot(&axis, known);
                add_scaled(&mut axis, -along, known);
            }
            let length = dot(&axis, &axis).sqrt();
            if found < 2 && length > 1e-9 {
                plane.axes[found] = axis.iter().map(|value| value / length).collect();
                found += 1;
            }
        }
        let range = |axis: usize| match kinds[axis.min(d - 1)] {
            ColumnKind::Nominal { levels } => (-0.5, levels as f64 - 0.5),
            ColumnKind::Numeric | ColumnKind::Indicator => {
                let mut ends = (f64::INFINITY, f64::NEG_INFINITY);
                for rows in &drawn {
                    let mut places: Vec<f64> = rows
                        .iter_rows()
                        .map(|row| plane.project(row)[axis])
                        .collect();
                    places.sort_unstable_by(f64::total_cmp);
                    let at = ROWS / 100;
                    ends = (ends.0.min(places[at]), ends.1.max(places[ROWS - 1 - at]));
                }
                let air = 0.06 * (ends.1 - ends.0);
                (ends.0 - air, ends.1 + air)
            }
        };
        let ranges = (range(0), (d > 1).then(|| range(1)));
        (plane.across, plane.up) = ranges;
        plane
    }

    /// The features at a place of the plane.
    pub fn point(&self, u: f64, v: f64) -> Vec<f64> {
        let mut x = self.origin.clone();
        add_scaled(&mut x, u, &self.axes[0]);
        add_scaled(&mut x, v, &self.axes[1]);
        if self.codes {
            for value in &mut x {
                *value = value.round().max(0.0);
            }
        }
        x
    }

    /// The place of a row.
    pub fn project(&self, row: &[f64]) -> [f64; 2] {
        let along = |axis: &Vec<f64>| -> f64 {
            row.iter()
                .zip(&self.origin)
                .zip(axis)
                .map(|((x, o), a)| (x - o) * a)
                .sum()
        };
        [along(&self.axes[0]), along(&self.axes[1])]
    }
}

/// A picture of `width` by `height` letters, top line first. In the plane a letter is the class with the largest
/// density there, a dot where it is below a tenth of that class's own peak, nothing below a hundredth. A single
/// feature shows the densities as areas. Cost: the densities of `width * height` rows.
pub fn picture(population: &dyn Population, width: usize, height: usize) -> Vec<String> {
    let plane = Plane::of(population);
    let k = population.n_classes();
    let at = |(low, high): (f64, f64), step: usize, steps: usize| {
        low + (high - low) * (step as f64 + 0.5) / steps as f64
    };
    // The largest log density and its class, at each place.
    let best = |x: &[f64]| {
        limit::ask();
        let logs = (0..k).map(|class| (population.log_density(class, x), class));
        logs.fold((f64::NEG_INFINITY, 0), |best, own| {
            if own.0 > best.0 { own } else { best }
        })
    };
    let lines = if plane.up.is_some() { height } else { 1 };
    let places: Vec<Vec<(f64, usize)>> = (0..lines)
        .map(|line| {
            let v = plane.up.map_or(0.0, |up| at(up, height - 1 - line, height));
            (0..width)
                .map(|column| best(&plane.point(at(plane.across, column, width), v)))
                .collect()
        })
        .collect();
    let mut peaks = vec![f64::NEG_INFINITY; k];
    for &(log, class) in places.iter().flatten() {
        peaks[class] = peaks[class].max(log);
    }
    let letter = |class: usize| {
        let digit = u32::try_from(class)
            .ok()
            .and_then(|class| char::from_digit(class, 36));
        digit.unwrap_or('#')
    };
    let highest = peaks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shown = |line: usize, &(log, class): &(f64, usize)| {
        let share = if plane.up.is_some() {
            (log - peaks[class]).exp()
        } else {
            (log - highest).exp() - (height - 1 - line) as f64 / height as f64
        };
        match share {
            share if share >= 0.1 || (plane.up.is_none() && share > 0.0) => letter(class),
            share if share >= 0.01 => '.',
            _ => ' ',
        }
    };
    (0..height)
        .map(|line| {
            let text: String = places[line.min(lines - 1)]
                .iter()
                .map(|p| shown(line, p))
                .collect();
            text.trim_end().to_owned()
        })
        .collect()
}
