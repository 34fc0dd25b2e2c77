"""Writes populations.csv: densities and Bayes errors of the synthetic populations, by other means than the
crate's own.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_populations.py

Columns: what, then up to four arguments, then the value. Takes a few minutes.

moons-point    class, index, x, y        a point of scikit-learn's make_moons without noise; value: t
moons-density  class, noise, x, y        log p(x, y | class) by composite Gauss-Legendre quadrature of
                                         the squared distances to the arc, 20000 panels of 20 nodes;
                                         good to 1e-12 times max(1, |value|)
moons-bayes    noise                     Bayes-optimal balanced error, by the trapezoidal rule on a
                                         square grid; good to 1e-6 (the step is halved to check)
simplex-bayes  classes, separation       Bayes-optimal balanced error, scipy.integrate.quad; good to 1e-10
pair-error     prior of class 1          balanced error of the rule that is best for accuracy
"""

import csv
from pathlib import Path

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.datasets import make_moons

HERE = Path(__file__).parent


def arc(k, t):
    if k == 0:
        return np.cos(t), np.sin(t)
    return 1 - np.cos(t), 0.5 - np.sin(t)


def panels(n, order):
    z, w = np.polynomial.legendre.leggauss(order)
    h = np.pi / n
    t = (np.arange(n)[:, None] + (z[None, :] + 1) / 2) * h
    return t.ravel(), np.tile(w * h / 2, n)


FINE = panels(20000, 20)


def moons_log_density(k, noise, x, y, rule=FINE):
    t, w = rule
    cx, cy = arc(k, t)
    e = -((x - cx) ** 2 + (y - cy) ** 2) / (2 * noise**2)
    top = e.max()
    return top + np.log(np.sum(w * np.exp(e - top)) / np.pi / (2 * np.pi * noise**2))


def moons_bayes(noise, step):
    t, w = panels(16, 16)
    xs = np.arange(-1 - 7 * noise, 2 + 7 * noise, step)
    ys = np.arange(-0.5 - 7 * noise, 1 + 7 * noise, step)
    total = 0.0
    for x in xs:
        p = []
        for k in (0, 1):
            cx, cy = arc(k, t)
            e = -((x - cx[:, None]) ** 2 + (ys[None, :] - cy[:, None]) ** 2) / (2 * noise**2)
            p.append(w @ np.exp(e) / np.pi / (2 * np.pi * noise**2))
        total += np.minimum(*p).sum()
    return total * step**2 / 2


def simplex_bayes(k, separation):
    delta = separation / np.sqrt(2)
    right, _ = quad(
        lambda z: norm.pdf(z - delta) * norm.cdf(z) ** (k - 1), -12, 12 + delta,
        epsabs=1e-13, epsrel=1e-13, limit=500, points=[0, delta],
    )
    return 1 - right


def pair_error(pi):
    c = np.log((1 - pi) / pi) / (2 * np.sqrt(2))
    return (norm.cdf(-np.sqrt(2) + c) + norm.cdf(-np.sqrt(2) - c)) / 2


def rows():
    n = 9
    points, labels = make_moons(n_samples=(n, n), shuffle=False, noise=None)
    t = np.linspace(0, np.pi, n)
    for k in (0, 1):
        for i, (x, y) in enumerate(points[labels == k]):
            yield "moons-point", k, i, x, y, t[i]
    rng = np.random.default_rng(20240611)
    special = [
        (0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (0.5, 0.25), (1.0, 0.5),
        (0.0, 0.5), (2.0, 0.5), (1.0, -0.5), (-3.0, -1e-9), (3.0, -1e-9), (0.3, -1e-3), (1e-9, -1e-9),
    ]
    for noise in (0.02, 0.1, 0.3, 1.0, 5.0):
        near = [tuple(p) for p in rng.uniform((-1.5, -1.2), (2.5, 1.7), size=(8, 2))]
        far = [tuple(p) for p in rng.uniform(-40, 40, size=(4, 2))]
        for k in (0, 1):
            for x, y in special + near + far:
                yield "moons-density", k, noise, x, y, moons_log_density(k, noise, x, y)
    for noise in (0.1, 0.3, 0.6):
        coarse, fine = moons_bayes(noise, 0.004), moons_bayes(noise, 0.002)
        assert abs(coarse - fine) < 1e-6, (noise, coarse, fine)
        yield "moons-bayes", noise, "", "", "", fine
    for k in (2, 3, 5, 10):
        for separation in (0.0, 1.0, 2.0, 4.0):
            yield "simplex-bayes", k, separation, "", "", simplex_bayes(k, separation)
    for pi in (0.5, 0.2, 0.05, 0.01):
        yield "pair-error", pi, "", "", "", pair_error(pi)


def text(value):
    return repr(float(value)) if isinstance(value, float) else str(value)


with open(HERE / "populations.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["what", "a", "b", "c", "d", "value"])
    writer.writerows([text(value) for value in row] for row in rows())
