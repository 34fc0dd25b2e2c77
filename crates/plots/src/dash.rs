//! Cuts a polyline into dashes, for the bitmap only: in SVG the renderer does it.

use super::scene::Point;

/// The drawn runs of a line with dash and gap lengths in units of `width`; the line itself when
/// the pattern is empty.
pub(super) fn dashes(points: &[Point], pattern: &[f64], width: f64) -> Vec<Vec<Point>> {
    let lengths: Vec<f64> = pattern.iter().map(|units| units * width).collect();
    if lengths.is_empty() || lengths.iter().any(|length| *length <= 0.0) || points.is_empty() {
        return vec![points.to_vec()];
    }
    let mut runs = Vec::new();
    let mut run = vec![points[0]];
    let mut slot = 0;
    let mut left = lengths[0];
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let t = done / length;
            let cut = (x0 + (x1 - x0) * t, y0 + (y1 - y0) * t);
            if slot % 2 == 0 {
                run.push(cut);
                runs.push(std::mem::take(&mut run));
            } else {
                run = vec![cut];
            }
            slot += 1;
            left = lengths[slot % lengths.len()];
        }
        left -= length - done;
        if slot % 2 == 0 {
            run.push((x1, y1));
        }
    }
    if run.len() > 1 {
        runs.push(run);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_and_gaps_have_their_lengths_around_a_corner() {
        let line = [(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)];
        let runs = dashes(&line, &[3.0, 1.0], 1.0);
        assert_eq!(
            runs,
            vec![
                vec![(0.0, 0.0), (3.0, 0.0)],
                vec![(4.0, 0.0), (5.0, 0.0), (5.0, 2.0)],
                vec![(5.0, 3.0), (5.0, 5.0)],
            ]
        );
        assert_eq!(dashes(&line, &[], 1.0), vec![line.to_vec()]);
    }
}
