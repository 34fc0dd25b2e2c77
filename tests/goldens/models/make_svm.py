"""Writes svm.json beside it: machines of scikit-learn's SVC at a tight tolerance.

    pip install -r requirements.txt && python make_svm.py

For each pair of classes a < b in order: support rows, coefficients and margins of the test rows, all in the sign
that makes class b positive. The dual objective is computed from the coefficients here.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.svm import SVC

HERE = Path(__file__).parent


def data(seed, counts, d, n_test):
    rng = np.random.default_rng(seed)
    k = len(counts)
    means = 1.3 * rng.normal(size=(k, d))
    scales = 10.0 ** rng.uniform(-0.3, 0.3, size=d)
    y = np.repeat(np.arange(k), counts)
    rng.shuffle(y)
    y_test = rng.integers(k, size=n_test)
    draw = lambda y: np.round((means[y] + rng.normal(size=(len(y), d))) * scales, 3)
    return draw(y), y, draw(y_test)


def case(name, seed, counts, d, kernel, c, gamma, weights):
    x, y, x_test = data(seed, counts, d, 15)
    k = len(counts)
    w = dict(enumerate(weights)) if weights else None
    model = SVC(
        C=c, kernel=kernel, gamma="scale" if gamma is None else gamma, class_weight=w, tol=1e-10,
        cache_size=100, decision_function_shape="ovo", break_ties=False,
    ).fit(x, y)
    f = model.decision_function(x_test)
    # One column is positive for class 1; of several, (a, b) is positive for a.
    f = f[:, None] if f.ndim == 1 else -f
    width = model._gamma if kernel == "rbf" else None
    gram = rbf_kernel(x, gamma=width) if kernel == "rbf" else linear_kernel(x)
    starts = np.concatenate([[0], np.cumsum(model.n_support_)])
    pairs, objective = [], 0.0
    for a in range(k):
        for b in range(a + 1, k):
            own = lambda c, other: (
                model.support_[starts[c] : starts[c + 1]],
                model.dual_coef_[other if other < c else other - 1, starts[c] : starts[c + 1]],
            )
            beta = np.zeros(len(y))
            for c_, other in ((a, b), (b, a)):
                rows, coefficients = own(c_, other)
                beta[rows] = coefficients
            # Two classes are already positive for 1; of several, the first of the pair is.
            beta = beta if k == 2 else -beta
            # What libsvm leaves of a coefficient at its bound is a rounding error.
            pairs.append({"support": [int(i) for i in np.flatnonzero(np.abs(beta) > 1e-9)]})
            objective += 0.5 * beta @ gram @ beta - np.abs(beta).sum()
    predict = model.predict(x_test)
    return {
        "name": name, "kernel": kernel, "c": c, "gamma": gamma,
        "weights": list(weights) if weights else [1.0] * k,
        "x": x.tolist(), "y": y.tolist(), "x_test": x_test.tolist(),
        "pairs": pairs, "margins": f.tolist(), "objective": objective, "predict": predict.tolist(),
    }


def main():
    cases = [
        case("rbf, scale", 1, [40, 25], 3, "rbf", 1.0, None, None),
        case("rbf, narrow, dear", 2, [40, 25], 3, "rbf", 20.0, 0.7, None),
        case("linear", 3, [40, 25], 4, "linear", 1.0, None, None),
        case("linear, cheap, weighted", 4, [60, 12], 3, "linear", 0.05, None, [0.6, 3.0]),
        case("rbf, weighted", 5, [60, 12], 3, "rbf", 1.0, None, [0.6, 3.0]),
        case("3 classes, rbf, weighted", 6, [40, 25, 10], 3, "rbf", 2.0, None, [0.5, 1.0, 2.5]),
        case("4 classes, linear", 7, [25, 20, 15, 10], 3, "linear", 1.0, None, None),
    ]
    path = HERE / "svm.json"
    path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size)


main()
