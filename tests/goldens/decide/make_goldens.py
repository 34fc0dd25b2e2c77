"""Writes goldens.json: calibrators and tuning metrics by scikit-learn and scipy.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_goldens.py

Everything is seeded; the same versions write the same file. Fitted parameters come from scipy's general
optimisers run to their limits, not from the code under test's method; the tests compare calibrated
probabilities to 1e-6 (isotonic to 1e-12).
"""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import matthews_corrcoef, recall_score

HERE = Path(__file__).parent


def draw(rng, counts, sharpness, step=0.0):
    """Log-probabilities that know a little of the class and are too sure; coarse where step > 0."""
    y = np.repeat(np.arange(len(counts)), counts)
    prior = np.array(counts) / sum(counts)
    logits = rng.normal(size=(len(y), len(counts))) + 1.1 * np.eye(len(counts))[y] + 0.6 * np.log(prior)
    logits *= sharpness
    if step:
        logits = np.round(logits / step) * step
    return log_softmax(logits, axis=1), y


def solve(loss, start, bounds=None):
    """Least of a convex loss with its gradient: L-BFGS-B, restarted until nothing moves."""
    at = np.array(start, dtype=float)
    for _ in range(20):
        found = minimize(
            loss, at, jac=True, method="L-BFGS-B", bounds=bounds,
            options={"ftol": 1e-16, "gtol": 1e-12, "maxiter": 10_000, "maxls": 100},
        )
        moved = np.abs(found.x - at).max()
        at = found.x
        if moved < 1e-12:
            break
    if bounds is None:
        # Without bounds BFGS polishes the last digits.
        at = minimize(loss, at, jac=True, method="BFGS", options={"gtol": 1e-13}).x
    return at


def logistic(features, target):
    def loss(at):
        z = features @ at
        value = np.sum(np.logaddexp(0, z) - target * z)
        return value, features.T @ (expit(z) - target)

    return loss


def platt(yes, no, is_yes):
    n_yes, n_no = is_yes.sum(), (~is_yes).sum()
    target = np.where(is_yes, (n_yes + 1) / (n_yes + 2), 1 / (n_no + 2))
    features = np.column_stack([yes - no, np.ones(len(yes))])
    at = solve(logistic(features, target), [1.0, 0.0])
    return lambda yes, no: expit(at[0] * (yes - no) + at[1])


def beta(yes, no, is_yes):
    features = np.column_stack([yes, -no, np.ones(len(yes))])
    at = solve(logistic(features, is_yes.astype(float)), [1.0, 1.0, 0.0],
               bounds=[(0, None), (0, None), (None, None)])
    return lambda yes, no: expit(at[0] * yes - at[1] * no + at[2])


def isotonic(yes, no, is_yes):
    fitted = IsotonicRegression(out_of_bounds="clip").fit(np.exp(yes), is_yes.astype(float))
    return lambda yes, no: np.clip(fitted.predict(np.exp(yes)), np.finfo(float).eps, 1 - np.finfo(float).eps)


def pair(log, k):
    return log[:, k], np.log(np.exp(np.delete(log, k, axis=1)).sum(axis=1))


def one_vs_rest(fit, log, y, new):
    k = log.shape[1]
    if k == 2:
        p = fit(*pair(log, 1), y == 1)(*pair(new, 1))
        return np.column_stack([1 - p, p])
    p = np.column_stack([fit(*pair(log, c), y == c)(*pair(new, c)) for c in range(k)])
    return p / p.sum(axis=1, keepdims=True)


def temperature(log, y, new):
    def loss(at):
        z = log_softmax(at[0] * log, axis=1)
        value = -z[np.arange(len(y)), y].sum()
        slope = (np.exp(z) * log).sum() - log[np.arange(len(y)), y].sum()
        return value, np.array([slope])

    at = solve(loss, [1.0])
    return np.exp(log_softmax(at[0] * new, axis=1))


def vector_scaling(log, y, new):
    k = log.shape[1]
    one_hot = np.eye(k)[y]

    def loss(at):
        z = log_softmax(at[:k] * log + np.r_[0.0, at[k:]], axis=1)
        residual = np.exp(z) - one_hot
        return -(z * one_hot).sum(), np.r_[(residual * log).sum(axis=0), residual.sum(axis=0)[1:]]

    at = solve(loss, np.r_[np.ones(k), np.zeros(k - 1)])
    return np.exp(log_softmax(at[:k] * new + np.r_[0.0, at[k:]], axis=1))


def calibrations():
    rng = np.random.default_rng(11)
    cases = []
    for counts, sharpness, step in [
        ([120, 30], 2.5, 0.0), ([90, 12], 0.4, 0.5), ([60, 60], 3.0, 1.0), ([70, 30, 12], 2.0, 0.0),
        ([40, 25, 20, 9], 3.0, 0.5),
    ]:
        log, y = draw(rng, counts, sharpness, step)
        new, _ = draw(rng, [4] * len(counts), 1.5 * sharpness)
        case = {"log": log.tolist(), "y": y.tolist(), "new": new.tolist()}
        for name, fit in [("platt", platt), ("beta", beta), ("isotonic", isotonic)]:
            case[name] = one_vs_rest(fit, log, y, new).tolist()
        case["temperature"] = temperature(log, y, new).tolist()
        case["vector-scaling"] = vector_scaling(log, y, new).tolist()
        cases.append(case)
    # The unbounded optimum of beta calibration has a negative factor here: the bound holds.
    p = np.concatenate([np.linspace(0.02, 0.5, 40), np.linspace(0.5, 0.98, 40)])
    y = (np.arange(80) % 5 == 0).astype(int)
    y[:15] = 1
    log = np.log(np.column_stack([1 - p, p]))
    new = np.log(np.column_stack([[0.9, 0.5, 0.1], [0.1, 0.5, 0.9]]))
    cases.append({
        "log": log.tolist(), "y": y.tolist(), "new": new.tolist(),
        "beta": one_vs_rest(beta, log, y, new).tolist(),
        "platt": one_vs_rest(platt, log, y, new).tolist(),
    })
    return cases


def criteria():
    rng = np.random.default_rng(3)
    cases = []
    for k in [2, 3, 5]:
        for _ in range(4):
            truth = rng.integers(0, k, 40)
            decided = np.where(rng.random(40) < 0.5, truth, rng.integers(0, k, 40))
            cases.append({
                "n_classes": k, "truth": truth.tolist(), "decided": decided.tolist(),
                "mcc": matthews_corrcoef(truth, decided),
                "worst-recall": recall_score(
                    truth, decided, average=None, labels=np.unique(truth)
                ).min(),
            })
    return cases


def rounded(value):
    """Fifteen digits are what the tests need; they halve the file."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.15g}") if isinstance(value, float) else value


goldens = {"calibrations": calibrations(), "criteria": criteria()}
(HERE / "goldens.json").write_text(json.dumps(rounded(goldens), separators=(",", ":")) + "\n")
