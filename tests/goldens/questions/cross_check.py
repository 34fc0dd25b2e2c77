"""Cells of reports/bias and reports/extreme by scikit-learn on draws of its own; prints balanced errors.

    venv/bin/python cross_check.py
"""

import numpy as np
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

DRAWS = 20
MEAN = np.ones(2)


def error(w, b):
    """The exact balanced error of w x + b > 0 on Gaussians about -MEAN and MEAN."""
    wide = np.linalg.norm(w)
    return 0.5 * (norm.sf(-(b - w @ MEAN) / wide) + norm.cdf(-(b + w @ MEAN) / wide))


def draw(rng, common, rare):
    x = np.vstack([rng.normal(size=(common, 2)) - MEAN, rng.normal(size=(rare, 2)) + MEAN])
    return x, np.repeat([0, 1], [common, rare])


def fit(x, y, **more):
    model = LogisticRegression(**{"C": np.inf, "tol": 1e-10, "max_iter": 2000} | more).fit(x, y)
    return model.coef_[0], model.intercept_[0]


def main():
    rng = np.random.default_rng(1)
    found = {}

    def note(name, value):
        found.setdefault(name, []).append(value)

    for _ in range(DRAWS):
        x, y = draw(rng, 9_500, 500)
        w, b = fit(x, y)
        note("bias: plain", error(w, b))
        note("bias: dropped as drawn", error(w, 0.0))
        centre, scale = x.mean(axis=0), x.std(axis=0)
        w = fit((x - centre) / scale, y)[0] / scale
        note("bias: dropped on standardised features", error(w, -w @ centre))
        w = fit(x + 3.0, y)[0]
        note("bias: dropped after a shift by 3", error(w, 3.0 * w.sum()))
    for _ in range(DRAWS):
        x, y = draw(rng, 50_000, 2)
        w, b = fit(x, y, C=1.0)
        note("extreme: 2 rare, adjusted", error(w, b - np.log(2 / 50_000)))
        note("extreme: 2 rare, class weights", error(*fit(x, y, C=1.0, class_weight="balanced")))
    for name, values in found.items():
        print(f"{name}: {np.mean(values):.4f} +- {np.std(values, ddof=1) / np.sqrt(DRAWS):.4f}")


if __name__ == "__main__":
    main()
