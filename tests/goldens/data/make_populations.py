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
student-density  df, x, y                log p(x, y | class 1) of `student-pair`, scipy.stats.multivariate_t
rings-density  class, noise, x, y        log p(x, y | class) of `rings`, by scipy's scaled Bessel function
student-bayes  df, separation            Bayes-optimal balanced errors: Student's distribution function,
wide-bayes     dim, spread               chi-squared's for `heteroscedastic`,
circle-bayes   classes, separation       the density of the phase for `gaussian-circle`,
rings-bayes    noise                     scipy.integrate.quad over the radius,
board-bayes    cells, dim, noise         the same over one coordinate of `checkerboard`,
discrete-bayes classes, features, levels, strength   the sum over every row there is
"""

import csv
import itertools
from pathlib import Path

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ive
from scipy.stats import chi2, multivariate_t, norm
from scipy.stats import t as student
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


def rings_log_density(k, noise, r):
    kappa = r * (k + 1) / noise**2
    return np.log(ive(0, kappa)) - (r - k - 1) ** 2 / (2 * noise**2) - np.log(2 * np.pi * noise**2)


def rings_bayes(noise):
    border = brentq(lambda r: rings_log_density(1, noise, r) - rings_log_density(0, noise, r), 0.5, 10)
    law = lambda r, k: 2 * np.pi * r * np.exp(rings_log_density(k, noise, r))
    missed = quad(law, border, border + 12 * noise, args=(0,), epsabs=1e-13)[0]
    missed += quad(law, max(0, border - 12 * noise), border, args=(1,), epsabs=1e-13)[0]
    return missed / 2


def wide_bayes(dim, spread):
    c = 2 * dim * np.log(spread) / (1 - spread**-2)
    return (chi2(dim).sf(c) + chi2(dim).cdf(c / spread**2)) / 2


def circle_bayes(k, separation):
    g = (separation / (2 * np.sin(np.pi / k))) ** 2 / 2
    phase = lambda a: np.exp(-g) / (2 * np.pi) + np.sqrt(g / np.pi) * np.cos(a) * np.exp(
        -g * np.sin(a) ** 2) * norm.cdf(np.sqrt(2 * g) * np.cos(a))
    return 1 - quad(phase, -np.pi / k, np.pi / k, epsabs=1e-13)[0]


def board_bayes(cells, dim, noise):
    centres = np.arange(cells) - (cells - 1) / 2
    signs = (-1.0) ** np.arange(cells)
    g = lambda x: np.sum(signs * norm.pdf(x, centres, noise)) / cells
    grid = np.linspace(-cells / 2 - 12 * noise, cells / 2 + 12 * noise, 4096)
    ends = [grid[0]] + [brentq(g, a, b, xtol=1e-15) for a, b in zip(grid, grid[1:]) if g(a) * g(b) < 0] + [grid[-1]]
    apart = sum(abs(quad(g, a, b, epsabs=1e-13, limit=500)[0]) for a, b in zip(ends, ends[1:]))
    return (1 - apart**dim) / 2


def discrete_bayes(k, features, levels, strength):
    turn = np.arange(levels)[None, :] / levels - np.arange(k)[:, None] / k
    tables = np.exp(strength * np.cos(2 * np.pi * turn))
    tables /= tables.sum(axis=1, keepdims=True)
    every = itertools.product(range(levels), repeat=features)
    return 1 - sum(tables[:, row].prod(axis=1).max() for row in map(list, every)) / k


def more_rows():
    for df in (1.0, 3.0, 30.0):
        for x, y in ((0.0, 0.0), (1.0, 1.0), (-3.0, 2.5), (400.0, -70.0)):
            yield "student-density", df, x, y, "", float(multivariate_t([1, 1], np.eye(2), df=df).logpdf([x, y]))
    for k, noise, x, y in ((0, 0.25, 0.0, 0.0), (0, 0.25, 0.6, -0.8), (1, 0.25, 2.0, 1.0), (1, 1.0, -3.0, 0.1),
                           (1, 0.1, 1.9, 0.2), (0, 3.0, 5.0, 5.0)):
        yield "rings-density", k, noise, x, y, rings_log_density(k, noise, np.hypot(x, y))
    for df, separation in ((1.0, 2.0), (3.0, 2.0), (4.5, 1.0), (100.0, 3.0)):
        yield "student-bayes", df, separation, "", "", float(student(df).cdf(-separation / 2))
    for dim, spread in ((1, 1.5), (2, 3.0), (6, 2.0), (40, 1.2)):
        yield "wide-bayes", dim, spread, "", "", wide_bayes(dim, spread)
    for k, separation in ((2, 2.0), (3, 4.0), (5, 2.0), (12, 1.0)):
        yield "circle-bayes", k, separation, "", "", circle_bayes(k, separation)
    for noise in (0.1, 0.25, 1.0):
        yield "rings-bayes", noise, "", "", "", rings_bayes(noise)
    for cells, dim, noise in ((2, 1, 0.5), (4, 2, 0.2), (6, 3, 0.3), (4, 2, 1.0)):
        yield "board-bayes", cells, dim, noise, "", board_bayes(cells, dim, noise)
    for k, features, levels, strength in ((2, 2, 6, 1.0), (3, 4, 5, 0.7), (2, 6, 3, 1.5)):
        yield "discrete-bayes", k, features, levels, strength, discrete_bayes(k, features, levels, strength)


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
    yield from more_rows()


def text(value):
    return repr(float(value)) if isinstance(value, float) else str(value)


with open(HERE / "populations.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["what", "a", "b", "c", "d", "value"])
    writer.writerows([text(value) for value in row] for row in rows())
