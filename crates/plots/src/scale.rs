//! Linear and logarithmic axes and their ticks.

/// Kind of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Linear,
    Log,
}

/// Maps values to pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) kind: Kind,
    /// Smallest and largest value shown.
    pub(super) domain: (f64, f64),
    /// Pixel of the smallest and of the largest value.
    pub(super) range: (f64, f64),
}

impl Scale {
    pub(super) fn new(kind: Kind, domain: (f64, f64), range: (f64, f64)) -> Self {
        Self {
            kind,
            domain,
            range,
        }
    }

    /// The pixel of a value; values outside the domain are put on its edge.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = self.domain;
        let value = value.clamp(low, high);
        let t = match self.kind {
            Kind::Linear => (value - low) / (high - low),
            Kind::Log => (value / low).ln() / (high / low).ln(),
        };
        self.range.0 + t * (self.range.1 - self.range.0)
    }

    pub(super) fn with_range(mut self, range: (f64, f64)) -> Self {
        self.range = range;
        self
    }

    /// Tick values with their labels; `fits` says whether labels at these pixels have room.
    pub(super) fn ticks(
        &self,
        wanted: usize,
        fits: impl Fn(&[(f64, String)]) -> bool,
    ) -> Vec<(f64, String)> {
        let candidates = match self.kind {
            Kind::Linear => linear(self.domain, wanted),
            Kind::Log => logarithmic(self.domain),
        };
        let mut last = Vec::new();
        for values in candidates {
            let ticks: Vec<(f64, String)> = label(&values, self.kind)
                .into_iter()
                .zip(&values)
                .map(|(text, value)| (*value, text))
                .collect();
            if !ticks.is_empty() && fits(&ticks) {
                return ticks;
            }
            last = ticks;
        }
        last.truncate(1);
        last
    }
}

/// Steps of 1, 2, 5 times a power of ten, finest first, from about the wanted number of ticks.
fn linear((low, high): (f64, f64), wanted: usize) -> Vec<Vec<f64>> {
    let raw = (high - low) / wanted.max(1) as f64;
    let mut power = raw.log10().floor();
    let mut steps = Vec::new();
    for _ in 0..4 {
        for (factor, over) in [(1.0, 1.0), (2.0, 1.0), (5.0, 1.0)] {
            let step = factor * over * 10_f64.powf(power);
            if step >= raw * 0.9 {
                steps.push(step);
            }
        }
        power += 1.0;
    }
    steps
        .into_iter()
        .map(|step| {
            let mut values = Vec::new();
            let mut k = (low / step - 1e-9).ceil();
            while k * step <= high + step * 1e-9 {
                // Adding zero turns a negative zero into zero.
                values.push(k * step + 0.0);
                k += 1.0;
            }
            values
        })
        .collect()
}

/// 1, 2, 5, 10, ... first, then decades only, then every second decade and so on. A domain that
/// holds fewer than two of these falls back on linear steps.
fn logarithmic((low, high): (f64, f64)) -> Vec<Vec<f64>> {
    let (first, last) = (low.log10().floor(), high.log10().ceil());
    let mut out = Vec::new();
    let mut pick = |factors: &[f64], every: f64| {
        let mut values = Vec::new();
        let mut decade = (first / every).floor() * every;
        while decade <= last {
            for factor in factors {
                // Dividing keeps .001 exact where multiplying by a negative power does not.
                let value = if decade < 0.0 {
                    factor / 10_f64.powf(-decade)
                } else {
                    factor * 10_f64.powf(decade)
                };
                if value >= low * (1.0 - 1e-9) && value <= high * (1.0 + 1e-9) {
                    values.push(value);
                }
            }
            decade += every;
        }
        if values.len() >= 2 {
            out.push(values);
        }
    };
    pick(&[1.0, 2.0, 5.0], 1.0);
    pick(&[1.0, 3.0], 1.0);
    pick(&[1.0], 1.0);
    pick(&[1.0], 2.0);
    pick(&[1.0], 3.0);
    if out.is_empty() {
        out = linear((low, high), 5);
    }
    out
}

/// Labels with as many decimals as the finest value needs, and the proper minus sign.
fn label(values: &[f64], kind: Kind) -> Vec<String> {
    let decimals = |value: f64| {
        (0..=8)
            .find(|d| {
                let scale = 10_f64.powi(*d);
                let scaled = value * scale;
                (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1.0)
            })
            .unwrap_or(8)
    };
    let most = values.iter().map(|v| decimals(*v)).max().unwrap_or(0);
    // On a logarithmic axis each label takes its own number of decimals: 0.001, 0.01, ... 10.
    let own = kind == Kind::Log;
    values
        .iter()
        .map(|value| fixed(*value, if own { decimals(*value) } else { most }))
        .collect()
}

/// A number with a fixed count of decimals and the minus sign of typography.
pub(super) fn fixed(value: f64, decimals: i32) -> String {
    let places = usize::try_from(decimals).unwrap_or(0);
    let text = format!("{value:.places$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().any(|c| ('1'..='9').contains(&c)) => format!("−{rest}"),
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

/// The same with a plus sign on what is above zero.
pub(super) fn signed(value: f64, decimals: i32) -> String {
    let text = fixed(value, decimals);
    let zero = !text.chars().any(|c| ('1'..='9').contains(&c));
    if zero || text.starts_with('−') {
        text
    } else {
        format!("+{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale, wanted: usize) -> Vec<String> {
        scale
            .ticks(wanted, |_| true)
            .into_iter()
            .map(|t| t.1)
            .collect()
    }

    #[test]
    fn log_ticks_are_1_2_5() {
        let scale = Scale::new(Kind::Log, (1.0, 200.0), (0.0, 100.0));
        assert_eq!(
            labels(&scale, 5),
            ["1", "2", "5", "10", "20", "50", "100", "200"]
        );
        let few = scale.ticks(5, |ticks| ticks.len() <= 3);
        assert_eq!(
            few.iter().map(|t| t.1.as_str()).collect::<Vec<_>>(),
            ["1", "10", "100"]
        );
        assert!((scale.at(1.0) - 0.0).abs() < 1e-12 && (scale.at(200.0) - 100.0).abs() < 1e-12);
        let time = Scale::new(Kind::Log, (0.0007, 30.0), (0.0, 100.0));
        let decades = time.ticks(5, |ticks| ticks.len() <= 5);
        assert_eq!(
            decades.iter().map(|t| t.1.as_str()).collect::<Vec<_>>(),
            ["0.001", "0.01", "0.1", "1", "10"]
        );
    }

    #[test]
    fn narrow_log_domains_fall_back_on_linear_steps() {
        let scale = Scale::new(Kind::Log, (11.0, 14.0), (0.0, 100.0));
        assert!(labels(&scale, 5).len() >= 2);
    }

    #[test]
    fn linear_ticks_share_their_decimals() {
        let scale = Scale::new(Kind::Linear, (-0.1, 0.32), (0.0, 1.0));
        assert_eq!(labels(&scale, 5), ["−0.1", "0.0", "0.1", "0.2", "0.3"]);
        let scale = Scale::new(Kind::Linear, (0.0, 52.0), (0.0, 1.0));
        assert_eq!(labels(&scale, 6), ["0", "10", "20", "30", "40", "50"]);
    }

    #[test]
    fn signs() {
        assert_eq!(fixed(-0.04, 1), "0.0");
        assert_eq!(fixed(-1.25, 1), "−1.2");
        assert_eq!(signed(0.04, 1), "0.0");
        assert_eq!(signed(2.0, 1), "+2.0");
    }
}
