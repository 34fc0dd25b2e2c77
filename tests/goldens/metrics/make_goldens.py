"""Writes the goldens of the metrics: test rows in cases/*.csv and what scikit-learn, statsmodels and
plain numpy make of them in expected.csv.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_goldens.py

Every case is judged twice: with each row weighing 1 (`unit`) and with the weights in the file (`rows`), which bring
the rows to a metric prior: AUROC, recalls and what is made of them do not depend on it. Cases without weights of 0
are also judged with the weights as the rows' own (`own`), which all metrics go by.
A metric without a value has an empty cell.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from scipy.optimize import root
from scipy.special import expit, logsumexp, softmax
from scipy.stats import gmean
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    cohen_kappa_score,
    f1_score,
    fbeta_score,
    log_loss,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)

HERE = Path(__file__).parent
BINS = 15


def case(name, y, d, w, scores, train, kind="probability"):
    return dict(name=name, y=y, d=d, w=w, scores=scores, train=train, kind=kind)


def cases():
    rng = np.random.default_rng(20240611)

    def noisy_logits(y, k, strength, noise):
        f = rng.normal(0.0, noise, (len(y), k))
        f[np.arange(len(y)), y] += strength
        return f

    # Two classes, continuous, one in ten positive; decided by a threshold that is not 1/2.
    y = (rng.random(300) < 0.1).astype(int)
    f = noisy_logits(y, 2, 1.5, 1.0) + np.array([1.0, -1.0])
    p = softmax(f, axis=1)
    yield case("binary", y, (p[:, 1] > 0.2).astype(int), rng.gamma(2.0, 0.5, 300), p, [900, 100])

    # The rarer class is class 0.
    y = (rng.random(200) < 0.8).astype(int)
    p = softmax(noisy_logits(y, 2, 1.0, 1.0), axis=1)
    yield case("binary_rare_first", y, p.argmax(1), rng.gamma(1.0, 1.0, 200), p, [19, 130])

    # Shares of 5 neighbours: many ties, probabilities of 0 and 1.
    y = (rng.random(250) < 0.3).astype(int)
    votes = rng.binomial(5, np.where(y == 1, 0.6, 0.25))
    p = np.stack([(5 - votes) / 5, votes / 5], axis=1)
    yield case("binary_ties", y, p.argmax(1), rng.gamma(2.0, 0.5, 250), p, [70, 30])

    # A majority vote: 0 is a value.
    y = (rng.random(120) < 0.15).astype(int)
    p = np.tile([0.85, 0.15], (120, 1))
    yield case("binary_majority", y, np.zeros(120, int), rng.gamma(2.0, 0.5, 120), p, [85, 15])

    # Logits so large that the larger probability rounds to 1: the ranking lives in the margin alone.
    y = (rng.random(200) < 0.4).astype(int)
    z = rng.normal(0.0, 30.0, 200) + np.where(y == 1, 60.0, 50.0)
    f = np.stack([np.zeros(200), z], axis=1)
    yield case("binary_saturated", y, (z > 55).astype(int), rng.gamma(2.0, 0.5, 200), f, [60, 40], "logit")

    # Three classes, shares of 7 neighbours.
    y = rng.choice(3, 240, p=[0.6, 0.3, 0.1])
    centres = np.array([[0.6, 0.3, 0.1], [0.3, 0.5, 0.2], [0.2, 0.3, 0.5]])
    votes = np.array([rng.multinomial(7, centres[k]) for k in y])
    p = votes / 7
    yield case("three_ties", y, p.argmax(1), rng.gamma(2.0, 0.5, 240), p, [600, 99, 19])

    # Seven classes, continuous, a long tail of training counts, decided after an offset.
    shares = 0.6 ** np.arange(7)
    y = rng.choice(7, 400, p=shares / shares.sum())
    f = noisy_logits(y, 7, 1.5, 1.0) + np.log(shares)
    d = (f - np.log(shares)).argmax(1)
    yield case("seven", y, d, rng.gamma(2.0, 0.5, 400), softmax(f, axis=1), [500, 300, 100, 99, 20, 19, 3])

    # Four classes; 2 has no test row but is decided, 3 has a test row but no training row and p = 0;
    # class 1 is never decided.
    y = rng.choice([0, 1, 3], 90, p=[0.6, 0.3, 0.1])
    f = noisy_logits(y, 4, 1.0, 1.0)
    f[:, 3] = -np.inf
    p = softmax(f, axis=1)
    d = np.where(p[:, 2] > 0.4, 2, 0)
    yield case("absent", y, d, rng.gamma(2.0, 0.5, 90), p, [60, 30, 5, 0])

    # Rows of class 1 weigh nothing: a metric prior without that class.
    y = rng.choice(3, 90, p=[0.5, 0.3, 0.2])
    p = softmax(noisy_logits(y, 3, 1.0, 1.0), axis=1)
    yield case("weightless", y, p.argmax(1), np.where(y == 1, 0.0, rng.gamma(2.0, 0.5, 90)), p, [50, 20, 10])

    # More than two classes, saturated.
    y = rng.choice(3, 150, p=[0.5, 0.3, 0.2])
    f = noisy_logits(y, 3, 60.0, 60.0)
    yield case("three_saturated", y, f.argmax(1), rng.gamma(2.0, 0.5, 150), f, [500, 30, 20], "logit")


def margins(c):
    """What is ranked: the probability where it tells rows apart, the exact margin where it does not."""
    if c["kind"] == "probability":
        return c["scores"]
    f = c["scores"].astype(np.longdouble)
    k = f.shape[1]
    out = [f[:, j] - logsumexp(np.delete(f, j, axis=1), axis=1) for j in range(k)]
    return np.stack(out, axis=1).astype(float)


def auroc(y, m, k, own):
    if k == 2:
        return roc_auc_score(y, m[:, 1], sample_weight=own)
    present = np.unique(y)
    if own is None and len(present) == k and np.allclose(m.sum(1), 1.0):
        return roc_auc_score(y, m, multi_class="ovo", average="macro")
    areas = []
    for a, b in combinations(present, 2):
        rows = (y == a) | (y == b)
        weights = None if own is None else own[rows]
        areas.append(roc_auc_score(y[rows] == a, m[rows, a], sample_weight=weights))
        areas.append(roc_auc_score(y[rows] == b, m[rows, b], sample_weight=weights))
    return np.mean(areas)


def average_precision(y, m, w, k, positive):
    if k == 2:
        return average_precision_score(y == positive, m[:, positive], sample_weight=w)
    heavy = [j for j in range(k) if w[y == j].sum() > 0]
    return np.mean([average_precision_score(y == j, m[:, j], sample_weight=w) for j in heavy])


def ece(y, p, w):
    """By the book: accuracy and confidence of each bin, weighted by the bin. Of tied classes the last."""
    top, confidence = p.shape[1] - 1 - p[:, ::-1].argmax(1), p.max(1)
    b = np.clip(np.ceil(confidence * BINS - 1e-9) - 1, 0, BINS - 1).astype(int)
    total = 0.0
    for j in range(BINS):
        rows = b == j
        if w[rows].sum() > 0:
            accuracy = np.average(top[rows] == y[rows], weights=w[rows])
            total += w[rows].sum() / w.sum() * abs(accuracy - np.average(confidence[rows], weights=w[rows]))
    return total


def precision_at(own, m, share):
    """Of the rows that score highest and weigh what the class weighs; ties at the end count by their share."""
    wanted, taken, hits = share[own].sum(), 0.0, 0.0
    for margin in np.unique(m)[::-1]:
        tied = m == margin
        part = min(1.0, (wanted - taken) / share[tied].sum()) if share[tied].sum() > 0 else 0.0
        hits += part * share[tied & own].sum()
        taken += share[tied].sum()
        if taken >= wanted:
            break
    return hits / wanted


def calibration(y, z, w):
    """Intercept (offset logit) and slope (free intercept); statsmodels, checked by solving the score
    equations."""
    model = sm.GLM(y, np.ones((len(y), 1)), family=sm.families.Binomial(), offset=z, freq_weights=w)
    intercept = model.fit(tol=1e-15, maxiter=200).params[0]
    assert abs(np.sum(w * (expit(z + intercept) - y))) < 1e-9
    if np.ptp(z) == 0:
        return intercept, None
    x = np.stack([np.ones_like(z), z], axis=1)
    fit = sm.GLM(y, x, family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-15, maxiter=200)
    solved = root(lambda b: x.T @ (w * (expit(x @ b) - y)), fit.params, tol=1e-15).x
    assert np.allclose(solved, fit.params, rtol=1e-9, atol=1e-9), (solved, fit.params)
    return intercept, solved[1]


def expected(c, w, own=None):
    y, d, train, f = c["y"], c["d"], np.array(c["train"]), c["scores"]
    k = f.shape[1]
    p = f if c["kind"] == "probability" else softmax(f, axis=1)
    m = margins(c)
    present = np.unique(y)
    recalls = recall_score(y, d, average=None, labels=present, zero_division=0, sample_weight=own)
    trained = np.flatnonzero(train)
    positive = trained[train[trained] == train[trained].min()][-1]

    def band(low, high):
        r = recalls[(train[present] >= low) & (train[present] < high)]
        return r.mean() if len(r) else None

    out = {
        "balanced_error": 1 - balanced_accuracy_score(y, d, sample_weight=own),
        "error_rate": 1 - accuracy_score(y, d, sample_weight=w),
        "worst_recall": recalls.min(),
        "g_mean": gmean(recalls) if recalls.min() > 0 else 0.0,
        "macro_f1": f1_score(y, d, average="macro", zero_division=0, sample_weight=w),
        "mcc": matthews_corrcoef(y, d, sample_weight=w),
        "kappa": cohen_kappa_score(y, d, sample_weight=w),
        "auroc": auroc(y, m, k, own),
        "average_precision": average_precision(y, m, w, k, positive),
        "ece": ece(y, p, w),
        "many_recall": band(100, np.inf),
        "medium_recall": band(20, 100),
        "few_recall": band(0, 20),
    }
    labels = np.arange(k)
    of_rarest = {"labels": [positive], "average": None, "sample_weight": w}
    decided, own, share = w[d == positive].sum(), y == positive, w / w.sum()
    occurs = decided > 0 or w[own].sum() > 0
    out["precision"] = precision_score(y, d, **of_rarest)[0] if decided > 0 else None
    out["minority_f1"] = f1_score(y, d, **of_rarest, zero_division=0)[0] if occurs else None
    out["f_beta"] = fbeta_score(y, d, beta=2, **of_rarest, zero_division=0)[0] if occurs else None
    both = 0 < share[own].sum() < 1
    out["precision_at_k"] = precision_at(own, m[:, positive], share) if share[own].sum() > 0 else None
    out["partial_auroc"] = roc_auc_score(own, m[:, positive], sample_weight=w, max_fpr=0.1) if both else None
    pi = share[own].sum()
    acted = p[:, positive] >= pi - 1e-12
    fn, fp = (share[own & ~acted].sum() / pi, share[~own & acted].sum() / (1 - pi)) if both else (0, 0)
    out["net_benefit"] = pi - (pi * fn + (1 - pi) * fp * pi / (1 - pi)) if both else None
    out["log_loss"] = log_loss(y, p, sample_weight=w, labels=labels)
    if k == 2:
        out["brier"] = brier_score_loss(y, p[:, 1], sample_weight=w)
    else:
        out["brier"] = brier_score_loss(y, p, sample_weight=w, labels=labels)

    z = None
    if k == 2 and np.all(p > 0):
        with np.errstate(divide="ignore"):
            z = np.log(p[:, positive]) - np.log(p[:, 1 - positive])
    out["calibration_intercept"] = out["calibration_slope"] = None
    if k == 2 and c["kind"] == "logit":
        z = f[:, positive] - f[:, 1 - positive]
    if z is not None:
        out["calibration_intercept"], out["calibration_slope"] = calibration((y == positive) * 1.0, z, w)

    prior = np.array([w[y == j].sum() for j in range(k)]) / w.sum()
    with np.errstate(divide="ignore"):
        log_p = np.log(p) if c["kind"] == "probability" else f - logsumexp(f, axis=1, keepdims=True)
        heavy = w > 0
        pointwise = log_p[heavy, y[heavy]] - np.log(prior[y[heavy]])
    out["mutual_information"] = np.average(pointwise, weights=w[heavy]) if np.isfinite(pointwise).all() else None
    # Murphy's parts over 15 bins of each class's probability, those of the calibration error.
    bins = np.clip(np.ceil(p * 15 - 1e-9).astype(int), 1, 15)
    scale = 0.5 if k == 2 else 1.0
    parts = {"brier_reliability": 0.0, "brier_resolution": 0.0}
    for j in range(k):
        for b in np.unique(bins[w > 0, j]):
            here = bins[:, j] == b
            mass, seen = w[here].sum(), np.average(y[here] == j, weights=w[here])
            said = np.average(p[here, j], weights=w[here])
            parts["brier_reliability"] += scale * mass * (said - seen) ** 2 / w.sum()
            parts["brier_resolution"] += scale * mass * (seen - prior[j]) ** 2 / w.sum()
    out |= parts
    out["brier_uncertainty"] = scale * np.sum(prior * (1 - prior))
    return out


def text(value):
    return "" if value is None else repr(float(value))


def main():
    (HERE / "cases").mkdir(exist_ok=True)
    rows = ["case,weights,metric,value"]
    for c in cases():
        k = c["scores"].shape[1]
        lines = [
            "# kind=" + c["kind"] + " train=" + ";".join(map(str, c["train"])),
            "label,decision,weight," + ",".join(f"s{j}" for j in range(k)),
        ]
        for i in range(len(c["y"])):
            numbers = [repr(float(c["w"][i]))] + [repr(float(v)) for v in c["scores"][i]]
            lines.append(f"{c['y'][i]},{c['d'][i]}," + ",".join(numbers))
        (HERE / "cases" / (c["name"] + ".csv")).write_text("\n".join(lines) + "\n")
        judged = [("unit", np.ones(len(c["y"])), None), ("rows", c["w"], None)]
        if c["w"].min() > 0:
            judged.append(("own", c["w"], c["w"]))
        for name, w, own in judged:
            for metric, value in sorted(expected(c, w, own).items()):
                rows.append(f"{c['name']},{name},{metric},{text(value)}")
    (HERE / "expected.csv").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
