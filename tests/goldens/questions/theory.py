"""What theory expects of the reports that ask a question: population optima by quadrature, excess errors by the
sandwich of an M-estimator, closed forms.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python theory.py

writes theory.json: a number for each check of reports/NAME/sweep.toml that theory gives one.

Two Gaussians with means -+(1, 1) and the identity as covariance: along u = (x1 + x2) / sqrt 2 the classes lie at
-+sqrt 2, across it both are standard normal. A linear rule s = b + a u + c v > 0 has the recalls of normal tails.
"""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit
from scipy.stats import norm

ROOT2 = np.sqrt(2.0)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
# Rows of each class: 1, u, v, with their probabilities.
U, V = [a.ravel() for a in np.meshgrid(NODES, NODES, indexing="ij")]
P = np.outer(WEIGHTS, WEIGHTS).ravel()


def rows(y, shift=0.0):
    return np.column_stack([np.ones_like(U), U + (2 * y - 1) * ROOT2 + shift * ROOT2, V])


def error(theta, shift=0.0):
    """The balanced error of the rule b + a u + c v > 0; `shift` is added to both features."""
    b, a, c = theta
    wide = np.hypot(a, c)
    above = [norm.cdf((b + a * ((2 * y - 1) * ROOT2 + shift * ROOT2)) / wide) for y in (0, 1)]
    return 0.5 * (above[0] + 1.0 - above[1])


class Loss:
    """w_y log(1 + exp(A_y -+ s)) under the class shares (1 - pi, pi)."""

    def __init__(self, pi, weights=(1.0, 1.0), margins=(0.0, 0.0), shift=0.0):
        self.pi, self.w, self.a = (1.0 - pi, pi), weights, margins
        self.rows = [rows(y, shift) for y in (0, 1)]

    def terms(self, theta):
        for y, sign in ((0, 1.0), (1, -1.0)):
            z = self.rows[y]
            yield y, sign, z, self.a[y] + sign * (z @ theta)

    def value(self, theta):
        return sum(self.pi[y] * self.w[y] * P @ np.logaddexp(0.0, m) for y, _, _, m in self.terms(theta))

    def gradient(self, theta):
        return sum(self.pi[y] * self.w[y] * sign * (P * expit(m)) @ z for y, sign, z, m in self.terms(theta))

    def hessian(self, theta):
        bends = [(y, z, P * expit(m) * expit(-m)) for y, _, z, m in self.terms(theta)]
        return sum(self.pi[y] * self.w[y] * (z * h[:, None]).T @ z for y, z, h in bends)

    def spread(self, theta, more=(1.0, 1.0)):
        """The covariance of a row's score, the number of rows of each class being fixed; `more` multiplies a class's."""
        total = np.zeros((3, 3))
        for y, sign, z, m in self.terms(theta):
            score = self.w[y] * sign * expit(m)[:, None] * z
            mean = P @ score
            total += more[y] * self.pi[y] * ((score * P[:, None]).T @ score - np.outer(mean, mean))
        return total

    def optimum(self, free=(True, True, True), start=(0.0, 2.0, 0.0)):
        theta = np.array(start, dtype=float)
        keep = np.array(free)
        for _ in range(200):
            g, h = self.gradient(theta)[keep], self.hessian(theta)[np.ix_(keep, keep)]
            step = np.zeros(3)
            step[keep] = np.linalg.solve(h, g)
            scale = 1.0
            while self.value(theta - scale * step) > self.value(theta) + 1e-15:
                scale *= 0.5
                if scale < 1e-12:
                    break
            theta = theta - scale * step
            if np.abs(g).max() < 1e-13:
                break
        return theta


def excess(loss, n, offset=0.0, more=(1.0, 1.0)):
    """The expected excess error of the rule fitted on n rows, to the order 1 / n."""
    theta = loss.optimum()
    h = np.linalg.inv(loss.hessian(theta))
    covariance = h @ loss.spread(theta, more) @ h / n
    theta = theta + np.array([offset, 0.0, 0.0])
    # Second derivatives of the error where its gradient is 0.
    bend, step = np.zeros((3, 3)), 1e-3
    for i in range(3):
        for j in range(3):
            e, f = np.eye(3)[i] * step, np.eye(3)[j] * step
            corners = error(theta + e + f) - error(theta + e - f) - error(theta - e + f) + error(theta - e - f)
            bend[i, j] = corners / (4 * step * step)
    return 0.5 * np.trace(bend @ covariance)


def adjusted(pi, tau):
    """The error of the Bayes rule for accuracy after tau log prior is taken off."""
    c = (1.0 - tau) * np.log((1.0 - pi) / pi) / (2 * ROOT2)
    return 0.5 * (norm.cdf(-ROOT2 + c) + norm.cdf(-ROOT2 - c))


def menon_synthetic():
    pi, n = 0.05, 10_000
    least = norm.cdf(-ROOT2)
    shares = (1.0 - pi, pi)
    adaptive = Loss(pi, margins=tuple(s**-0.25 for s in shares))
    equalised = Loss(pi, margins=(np.log(pi), np.log(1.0 - pi)))
    out = {
        "plain": adjusted(pi, 0.0),
        "half": adjusted(pi, 0.5),
        "double": adjusted(pi, 2.0),
        "adaptive": error(adaptive.optimum()),
        "equalised": error(equalised.optimum()),
    }
    # On classes that lie opposite about the origin a bias is the log prior odds, whatever the vectors' lengths.
    out |= {f"norm-{tau}": least for tau in ("05", "10", "20")}
    for name, pi, n in (("", 0.05, 10_000), ("-small", 0.05, 1_000), ("-rare", 0.01, 10_000)):
        r = (1.0 - pi) / pi
        offset = np.log(r)
        even = (0.5 / (1.0 - pi), 0.5 / pi)
        out["adjusted" + name] = excess(Loss(pi), n, offset)
        out["weighted" + name] = excess(Loss(pi, weights=even), n)
        # Copies drawn with replacement: the rare rows' part of the variance grows by (r - 1) / r^2.
        out["over" + name] = excess(Loss(pi, weights=even), n, more=(1.0, 1.0 + (r - 1.0) / r**2))
        out["under" + name] = excess(Loss(0.5), round(2 * pi * n))
    return out


def bias():
    pi = 0.05
    odds = np.log(pi / (1.0 - pi))
    cut = ROOT2 * (2 * pi - 1.0)
    out = {
        "plain": adjusted(pi, 0.0),
        "raw": norm.cdf(-ROOT2),
        # In raw coordinates the origin of centred features lies at the mean of all rows.
        "centred": error((-cut, 1.0, 0.0)),
    }
    shift = 3.0
    free = Loss(pi, shift=shift).optimum(start=(odds - 4 * shift, 2 * ROOT2, 0.0))
    out["shifted"] = error((0.0, *free[1:]), shift)
    # The bias stays at the log prior odds and is dropped at test.
    out["frozen"] = norm.cdf(-ROOT2)
    out["kept"] = adjusted(pi, 0.0)
    out |= {f"adjust-{features}": norm.cdf(-ROOT2) for features in ("raw", "centred", "shifted")}
    return out


def between(low, high):
    """The error of the line halfway between two points, one a row; in the coordinates of the classes."""
    a = high - low
    wide = np.linalg.norm(a, axis=1)
    half = 0.5 * np.sum(a * (low + high), axis=1)
    at = a[:, 0] * ROOT2
    # The classes lie at -+sqrt 2 along the first coordinate.
    return 0.5 * (norm.sf((half + at) / wide) + norm.cdf((half - at) / wide))


def extreme():
    out = {}
    centre = np.array([ROOT2, 0.0])
    points = np.column_stack([U, V])
    # Infinitely many rows give one mean and the covariance; the other mean is that of the rare rows. The tilt of a
    # normal class to that mean is the same line (Owen 2007), and so is nearest mean.
    for rare in (1, 2, 5, 10, 50):
        out[f"lda-{rare}"] = P @ between(np.tile(-centre, (len(U), 1)), centre + points / np.sqrt(rare))
    # One row against one: both points are drawn.
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    weights = weights / weights.sum()
    grid = np.stack(np.meshgrid(nodes, nodes, nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 4)
    shares = np.prod(np.stack(np.meshgrid(weights, weights, weights, weights, indexing="ij"), axis=-1), axis=-1).ravel()
    out["under-1"] = shares @ between(-centre + grid[:, :2], centre + grid[:, 2:])
    return out


def tau():
    pi, n, l2, rho = 0.05, 4000, 200.0, 0.5
    odds = np.log(pi / (1.0 - pi))
    out = {f"line-{name}": adjusted(pi, value) for name, value in (("0", 0.0), ("05", 0.5), ("1", 1.0), ("2", 2.0), ("3", 3.0))}
    # Naive Bayes takes features of correlation rho for independent ones. Along u the standard deviation is
    # sqrt(1 + rho), and its log odds are 2 sqrt 2 u + log prior odds, where 1 / (1 + rho) of the first is right.
    wide = np.sqrt(1.0 + rho)

    def naive(strength):
        cut = (1.0 - strength) * odds / (2 * ROOT2)
        return 0.5 * (norm.cdf((-ROOT2 - cut) / wide) + norm.cdf((-ROOT2 + cut) / wide))

    out |= {f"naive-{name}": naive(value) for name, value in (("05", 0.5), ("1", 1.0), ("15", 1.5))}
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    scores = [2 * ROOT2 * (wide * nodes + (2 * y - 1) * ROOT2) + odds for y in (0, 1)]

    def log_loss(t):
        return sum(s * weights @ np.logaddexp(0.0, sign * z / t) for s, sign, z in zip((1.0 - pi, pi), (1.0, -1.0), scores))

    out["naive-temperature"] = minimize_scalar(log_loss, bounds=(0.5, 5.0), method="bounded", options={"xatol": 1e-10}).x
    # A heavy penalty on the slopes: the line that minimises loss + l2 / (2 n) |slopes|^2.
    loss, ridge = Loss(pi), np.diag([0.0, l2 / n, l2 / n])
    theta = np.array([odds, 0.5, 0.0])
    for _ in range(100):
        theta = theta - np.linalg.solve(loss.hessian(theta) + ridge, loss.gradient(theta) + ridge @ theta)
    out["shrunk"] = error(theta - np.array([odds, 0.0, 0.0]))
    out["shrunk-calibrated"] = norm.cdf(-ROOT2)
    return out


def minority_count():
    out = {}
    for ratio in (10, 1000):
        out[f"plain-{ratio}"] = adjusted(1.0 / (1.0 + ratio), 0.0)
    for rare, ratio in ((20, 10), (20, 100), (20, 1000), (80, 10), (80, 100), (320, 10)):
        pi = 1.0 / (1.0 + ratio)
        out[f"adjust-{rare}-{ratio}"] = excess(Loss(pi), rare * (1 + ratio), np.log(ratio))
    for rare, ratio in ((20, 100), (80, 100), (320, 10)):
        out[f"under-{rare}-{ratio}"] = excess(Loss(0.5), 2 * rare)
    return out


if __name__ == "__main__":
    found = {"menon-synthetic": menon_synthetic(), "bias": bias(), "extreme": extreme(), "tau": tau(), "minority-count": minority_count()}
    path = Path(__file__).with_name("theory.json")
    rounded = {name: {k: float(f"{v:.6g}") for k, v in checks.items()} for name, checks in found.items()}
    path.write_text(json.dumps(rounded, indent=1) + "\n")
