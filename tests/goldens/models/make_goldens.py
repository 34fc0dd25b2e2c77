"""Writes one .json for each function that the last lines name, beside it.

    pip install -r requirements.txt && python make_goldens.py

Inputs are rounded to a few decimals, so that the files hold exactly what was fitted. Logistic
regressions are fitted by scikit-learn and then polished by Newton steps on the same objective until
the largest gradient is below 1e-11; the script fails where the two disagree by more than 1e-6.
"""

import json
from pathlib import Path

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

HERE = Path(__file__).parent


def data(seed, counts, d, n_test, spread=1.2):
    """Gaussian classes of the given counts with random means and a shared random covariance."""
    rng = np.random.default_rng(seed)
    k = len(counts)
    means = spread * rng.normal(size=(k, d)) / np.sqrt(d) * 1.5
    mix = rng.normal(size=(d, d)) / np.sqrt(d) + np.eye(d)
    scales = 10.0 ** rng.uniform(-0.5, 0.5, size=d)

    def draw(y):
        return np.round((means[y] + rng.normal(size=(len(y), d)) @ mix) * scales, 4)

    y = np.repeat(np.arange(k), counts)
    rng.shuffle(y)
    y_test = rng.integers(k, size=n_test)
    return draw(y), y, draw(y_test)


def polish(x, y, w, l2, coef, intercept):
    """Newton on sum_i w_i loss_i + l2/2 |slopes|^2 from the given start; K = 2 has one vector."""
    n, d = x.shape
    q = d + 1
    xa = np.hstack([x, np.ones((n, 1))])
    theta = np.hstack([coef, intercept[:, None]])
    c = theta.shape[0]
    penalty = np.full(q, float(l2))
    penalty[-1] = 0.0
    # Longer floats where the platform has them: the gradient is a sum over all rows.
    for _ in range(50):
        f = xa @ theta.T
        full = np.hstack([np.zeros((n, 1)), f]) if c == 1 else f
        p = softmax(full, axis=1)
        onehot = np.eye(full.shape[1])[y]
        r = (p - onehot) * w[:, None]
        r = r[:, 1:] if c == 1 else r
        g = np.array(
            [[np.sum((r[:, a] * xa[:, j]).astype(np.longdouble)) for j in range(q)] for a in range(c)],
            dtype=float,
        ) + theta * penalty
        worst = np.abs(g).max()
        if worst < 1e-11:
            return theta[:, :-1], theta[:, -1], worst
        pc = p[:, 1:] if c == 1 else p
        h = np.zeros((c * q, c * q))
        for a in range(c):
            for b in range(c):
                bend = w * pc[:, a] * ((a == b) - pc[:, b])
                h[a * q : (a + 1) * q, b * q : (b + 1) * q] = (xa * bend[:, None]).T @ xa
            h[a * q : (a + 1) * q, a * q : (a + 1) * q] += np.diag(penalty)
        step = np.linalg.lstsq(h, g.ravel(), rcond=1e-13)[0]
        theta = theta - step.reshape(c, q)
    raise SystemExit(f"gradient {worst} is not below 1e-11")


def logistic_case(name, seed, counts, d, l2, weights):
    x, y, x_test = data(seed, counts, d, 25)
    k = len(counts)
    w = np.ones(k) if weights is None else np.asarray(weights, float)
    model = LogisticRegression(
        C=1 / l2,
        solver="newton-cholesky" if k == 2 else "lbfgs",
        tol=1e-12,
        max_iter=100_000,
        class_weight=dict(enumerate(w)),
    ).fit(x, y)
    coef, intercept, gradient = polish(x, y, w[y], l2, model.coef_, model.intercept_)
    f = x_test @ coef.T + intercept
    f = np.hstack([np.zeros((len(f), 1)), f]) if k == 2 else f
    log_p = log_softmax(f, axis=1)
    gap = np.abs(np.exp(log_p) - model.predict_proba(x_test)).max()
    print(f"{name}: gradient {gradient:.1e}, scikit-learn as it stopped within {gap:.1e}")
    if gap > 1e-6:
        raise SystemExit(f"{name}: scikit-learn and the polished optimum differ by {gap}")
    return {
        "name": name,
        "l2": l2,
        "weights": w.tolist(),
        "x": x.tolist(),
        "y": y.tolist(),
        "x_test": x_test.tolist(),
        "log_p": log_p.tolist(),
    }


def softmax_regression():
    inverse = lambda counts: [sum(counts) / (len(counts) * n) for n in counts]
    cases = []
    for l2 in (1.0, 0.01, 100.0):
        counts = [170, 30]
        cases.append(logistic_case(f"2 classes, l2 {l2}", 1, counts, 4, l2, None))
        cases.append(logistic_case(f"2 classes, l2 {l2}, weighted", 2, counts, 4, l2, inverse(counts)))
    for l2 in (1.0, 0.1):
        counts = [120, 60, 20]
        cases.append(logistic_case(f"3 classes, l2 {l2}", 3, counts, 5, l2, None))
        cases.append(logistic_case(f"3 classes, l2 {l2}, weighted", 4, counts, 5, l2, inverse(counts)))
    counts = [100, 80, 60, 50, 40, 30, 20, 15, 10, 5]
    cases.append(logistic_case("10 classes", 5, counts, 6, 1.0, None))
    cases.append(logistic_case("10 classes, weighted", 6, counts, 6, 1.0, inverse(counts)))
    # More coefficients than Newton is used for: 10 x 41.
    cases.append(logistic_case("10 classes, 40 features", 7, counts, 40, 1.0, None))
    return cases


def gaussian_naive_bayes():
    cases = []
    for name, counts, weights, smoothing in (
        ("2 classes", [60, 20], None, 1e-9),
        ("3 classes", [50, 30, 5], None, 1e-9),
        ("3 classes, smoothed", [50, 30, 5], None, 0.1),
        ("3 classes, sample weights", [50, 30, 5], [0.5, 1.25, 7.0], 1e-9),
        ("10 classes", [30, 20, 10, 10, 10, 5, 5, 4, 3, 2], None, 1e-9),
    ):
        x, y, x_test = data(11 + len(cases), counts, 5, 25)
        k = len(counts)
        w = np.ones(k) if weights is None else np.asarray(weights, float)
        model = GaussianNB(var_smoothing=smoothing).fit(x, y, sample_weight=w[y])
        cases.append(case(name, x, y, x_test, model.predict_log_proba(x_test), w, var_smoothing=smoothing))
    # Where no sum of exponentials survives: 300 features.
    x, y, x_test = data(31, [12, 6], 300, 3, spread=40.0)
    model = GaussianNB().fit(x, y)
    cases.append(case("300 features", x, y, x_test, model.predict_log_proba(x_test), np.ones(2), var_smoothing=1e-9))
    # The smoothing knows nothing of weights, which is seen where it is large.
    x, y, x_test = data(32, [40, 10], 3, 25)
    w = np.array([1.0, 4.0])
    model = GaussianNB(var_smoothing=0.05).fit(x, y, sample_weight=w[y])
    cases.append(case("weights and much smoothing", x, y, x_test, model.predict_log_proba(x_test), w, var_smoothing=0.05))
    return cases


def case(name, x, y, x_test, log_p, w, **params):
    return {
        "name": name,
        "params": params,
        "weights": w.tolist(),
        "x": x.tolist(),
        "y": y.tolist(),
        "x_test": x_test.tolist(),
        # JSON has no infinity: null stands for log 0.
        "log_p": [[v if np.isfinite(v) else None for v in row] for row in log_p.tolist()],
    }


def k_nearest_neighbours():
    cases = []
    for k in (1, 5, 15):
        for weights in ("uniform", "distance"):
            x, y, x_test = data(40 + k, [80, 40, 8], 3, 20)
            # Some scored rows are training rows: distance 0.
            x_test[:4] = x[:4]
            model = KNeighborsClassifier(n_neighbors=k, weights=weights, algorithm="brute").fit(x, y)
            far = np.sort(((x_test[:, None, :] - x[None]) ** 2).sum(-1), axis=1)
            if (np.diff(far[:, : k + 1], axis=1)[:, -1] <= 1e-12).any():
                raise SystemExit("a tie at the k-th distance: scikit-learn leaves it open")
            with np.errstate(divide="ignore"):
                log_p = np.log(model.predict_proba(x_test))
            cases.append(case(f"k {k}, {weights}", x, y, x_test, log_p, np.ones(3), k=k, weights=weights))
    # Enough rows for every way of searching, in many dimensions and on a curve.
    rng = np.random.default_rng(48)
    for name, lift in (("cloud", None), ("curve", rng.normal(size=(1, 6)))):
        x = rng.normal(size=(620, 6)) if lift is None else np.sin(6 * rng.random((620, 1)) + 3 * lift)
        x, y = np.round(x, 5), rng.integers(4, size=620)
        x, y, x_test = x[:600], y[:600], x[600:]
        far = np.sort(((x_test[:, None, :] - x[None]) ** 2).sum(-1), axis=1)
        if (np.diff(far[:, :8], axis=1)[:, -1] <= 1e-12).any():
            raise SystemExit("a tie at the k-th distance: scikit-learn leaves it open")
        model = KNeighborsClassifier(n_neighbors=7, weights="distance").fit(x, y)
        with np.errstate(divide="ignore"):
            log_p = np.log(model.predict_proba(x_test))
        cases.append(case(f"600 rows, {name}", x, y, x_test, log_p, np.ones(4), k=7, weights="distance"))
    return cases


def generative(model_of, settings, seed):
    """Cases of a learner whose class weights are a change of priors; sklearn has priors only."""
    cases = []
    for name, counts, d, weights, params in settings:
        x, y, x_test = data(seed + len(cases), counts, d, 20)
        w = np.ones(len(counts)) if weights is None else np.asarray(weights, float)
        priors = params.get("priors", "empirical")
        base = {"empirical": np.asarray(counts, float), "uniform": np.ones(len(counts))}
        shares = w * (base[priors] if isinstance(priors, str) else np.asarray(priors))
        model = model_of(shares / shares.sum(), params).fit(x, y)
        f = model.decision_function(x_test)
        # Small probabilities of its `predict_log_proba` are one minus a large one.
        f = np.column_stack([np.zeros(len(f)), f]) if f.ndim == 1 else f
        log_p = log_softmax(f, axis=1)
        if np.abs(np.exp(log_p) - model.predict_proba(x_test)).max() > 1e-13:
            raise SystemExit(f"{name}: probabilities are not the softmax of the scores")
        if isinstance(model, NearestCentroid):
            # Twice the log-odds of the model that it states: see the learner's file.
            log_p = log_softmax(log_p / 2, axis=1)
        cases.append(case(name, x, y, x_test, log_p, w, **params))
    return cases


COMMON = [
    ("2 classes", [60, 20], 4, None, {}),
    ("3 classes", [50, 30, 12], 5, None, {}),
    ("3 classes, weighted", [50, 30, 12], 5, [0.5, 1.25, 7.0], {}),
    ("3 classes, uniform priors", [50, 30, 12], 5, None, {"priors": "uniform"}),
    ("3 classes, given priors", [50, 30, 12], 5, [1.0, 2.0, 1.0], {"priors": [0.2, 0.3, 0.5]}),
    ("8 classes", [40, 30, 25, 20, 15, 12, 10, 8], 3, None, {}),
]


def lda():
    def model(priors, params):
        if "shrinkage" in params:
            # Covariances are averaged by the priors there, which are the shares in these cases.
            return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=params["shrinkage"])
        return LinearDiscriminantAnalysis(priors=priors)

    settings = COMMON + [
        ("shrinkage 0.3", [50, 30, 12], 5, None, {"shrinkage": 0.3}),
        ("shrinkage 1", [50, 30, 12], 5, None, {"shrinkage": 1.0}),
        ("as many features as rows", [12, 8], 20, None, {}),
    ]
    cases = generative(model, settings, 60)
    # The svd solver leaves out directions without variance: sums, multiples and copies of columns.
    for name, weights in (("collinear columns", None), ("collinear columns, weighted", [2.0, 1.0, 5.0])):
        x, y, x_test = data(58 + len(cases), [50, 30, 12], 4, 20)
        w = np.ones(3) if weights is None else np.asarray(weights)
        more = lambda x: np.column_stack([x, x[:, 0] + x[:, 1], 2 * x[:, 2], x[:, 3], np.full(len(x), 3.0)])
        x, x_test = np.round(more(x), 4), np.round(more(x_test), 4)
        shares = w * np.bincount(y)
        fitted = model(shares / shares.sum(), {}).fit(x, y)
        cases.append(case(name, x, y, x_test, log_softmax(fitted.decision_function(x_test), axis=1), w))
    return cases


def qda():
    def model(priors, params):
        return QuadraticDiscriminantAnalysis(priors=priors, reg_param=params.get("reg_param", 0.0))

    settings = COMMON + [
        ("reg_param 0.1", [50, 30, 12], 5, None, {"reg_param": 0.1}),
        ("reg_param 1", [50, 30, 12], 5, None, {"reg_param": 1.0}),
    ]
    return generative(model, settings, 80)


def nearest_centroid():
    def model(priors, params):
        return NearestCentroid(priors=list(priors), shrink_threshold=params.get("shrink_threshold"))

    settings = COMMON + [
        ("shrink_threshold 0.5", [50, 30, 12], 6, None, {"shrink_threshold": 0.5}),
        ("shrink_threshold 3", [50, 30, 12], 5, None, {"shrink_threshold": 3.0}),
    ]
    return generative(model, settings, 100)


for write in (
    softmax_regression,
    gaussian_naive_bayes,
    k_nearest_neighbours,
    lda,
    nearest_centroid,
    qda,
):
    path = HERE / f"{write.__name__}.json"
    path.write_text(json.dumps(write(), separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size)
