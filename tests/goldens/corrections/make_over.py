"""Writes over.json: what imbalanced-learn's over-samplers start from, how many rows they make where,
and the moments of the rows.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_over.py

Most data are drawn by both sides (see make_under.py). What is exact is exact: ADASYN's rows a starting
row, Borderline-SMOTE's rows in danger, SVM-SMOTE's support vectors by what they are, K-means-SMOTE's
rows a cluster (for clusters that no k-means can miss), SMOTE-N's distances and votes (where no distance
ties at the k-th neighbour). Random rows are pinned by the moments of a large sample.
"""

import json
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
from imblearn.metrics.pairwise import ValueDifferenceMetric
from imblearn.over_sampling import ADASYN, SMOTEN, SVMSMOTE, BorderlineSMOTE, KMeansSMOTE
from make_under import Mix, draw
from scipy.stats import mode
from sklearn.cluster import KMeans

HERE = Path(__file__).parent
LARGE = 200_000

SETS = [
    {"seed": 11, "counts": [30, 8], "cols": 2, "gap": 0.5, "shuffled": False},
    {"seed": 12, "counts": [20, 80], "cols": 3, "gap": 0.75, "shuffled": True},
    {"seed": 13, "counts": [40, 160, 90], "cols": 3, "gap": 0.5, "shuffled": True},
    {"seed": 14, "counts": [300, 25, 60, 40], "cols": 5, "gap": 1.0, "shuffled": True},
    {"seed": 15, "counts": [1500, 150], "cols": 8, "gap": 0.75, "shuffled": True},
    {"seed": 16, "counts": [120, 1800, 80], "cols": 20, "gap": 1.0, "shuffled": False},
]
DRAWN = {"seed": 17, "counts": [25, 60], "cols": 3, "gap": 1.0, "shuffled": True}


def moments(rows):
    return {
        "n": len(rows),
        "mean": rows.mean(axis=0).tolist(),
        "covariance": np.cov(rows, rowvar=False, ddof=0).tolist(),
    }


def adasyn(x, y, k):
    """Rows that each row of a class starts, class after class."""
    repeats = []
    repeat = np.repeat

    def watch(a, n, *args, **kwargs):
        if np.ndim(n) == 1:
            repeats.append([len(a), n])
        return repeat(a, n, *args, **kwargs)

    sampler = ADASYN(n_neighbors=k, random_state=0)
    with mock.patch("imblearn.over_sampling._adasyn.np.repeat", watch):
        sampler.fit_resample(x, y)
    classes = [int(c) for c, n in sampler.sampling_strategy_.items() if n]
    assert [n for n, _ in repeats] == [int((y == c).sum()) for c in classes]
    # Its shares are rounded floats: at an exact half they may fall either way.
    return {str(c): n.tolist() for c, (_, n) in zip(classes, repeats)}


def borderline(x, y, m):
    sampler = BorderlineSMOTE(m_neighbors=m, random_state=0)
    sampler.fit_resample(x, y)
    return {str(c): rows.tolist() for c, rows in sampler.in_danger_indices.items()}


def svm(x, y, m, target=None):
    """Rows from support vectors by standing, and the rows made inwards and outwards."""
    standing, made = [], []
    judge, make = SVMSMOTE._in_danger_noise, SVMSMOTE._make_samples

    def watch_judge(self, nn, samples, target_class, y, kind):
        found = judge(self, nn, samples, target_class, y, kind=kind)
        standing.append((int(target_class), kind, samples, found))
        return found

    def watch_make(self, X, y_dtype, y_type, nn_data, nn_num, n, step_size=1.0, y=None):
        rows = make(self, X, y_dtype, y_type, nn_data, nn_num, n, step_size, y)
        made.append((step_size, rows[0]))
        return rows

    arguments = {} if target is None else {"sampling_strategy": target}
    sampler = SVMSMOTE(m_neighbors=m, random_state=0, **arguments)
    with (
        mock.patch.object(SVMSMOTE, "_in_danger_noise", watch_judge),
        mock.patch.object(SVMSMOTE, "_make_samples", watch_make),
    ):
        sampler.fit_resample(x, y)
    where = {tuple(row): at for at, row in enumerate(x)}
    result = {}
    for c, kind, samples, found in standing:
        rows = [where[tuple(row)] for row in samples]
        of_class = result.setdefault(str(c), {})
        if kind == "noise":
            of_class["noise"] = [row for row, yes in zip(rows, found) if yes]
        else:
            of_class["danger"] = [row for row, yes in zip(rows, found) if yes]
            of_class["safe"] = [row for row, yes in zip(rows, found) if not yes]
    return result, made


def kmeans():
    """Four far blobs; the minority has its share of three of them, with different spreads."""
    mix = Mix(18)
    x, y = [], []
    for blob, (few, many, spread) in enumerate([(30, 5, 1.0), (12, 8, 4.0), (20, 3, 0.25), (2, 90, 1.0)]):
        for i in range(few + many):
            x.append([200.0 * (blob % 2) + spread * mix.bell(), 200.0 * (blob // 2) + spread * mix.bell()])
            y.append(int(i < few))
    x, y = np.array(x), np.array(y)
    cases = []
    for exponent in ["auto", 0.0, 2.5]:
        sampler = KMeansSMOTE(
            sampling_strategy={0: int((y == 0).sum()), 1: 100_000},
            kmeans_estimator=KMeans(4, n_init=5, random_state=0),
            density_exponent=exponent,
            random_state=0,
        )
        made, _ = sampler.fit_resample(x, y)
        made = made[len(x) :]
        blobs = (made[:, 0] > 100).astype(int) + 2 * (made[:, 1] > 100).astype(int)
        case = {"rows_a_blob": np.bincount(blobs, minlength=4).tolist(), "made": []}
        if exponent != "auto":
            case["density_exponent"] = exponent
        case["made"] = [moments(made[blobs == blob]) for blob in range(3)]
        cases.append(case)
    return {"x": x.tolist(), "y": y.tolist(), "cases": cases}


def nominal():
    mix = Mix(19)
    levels = [3, 2, 6, 4]
    y = np.repeat([0, 1, 2], [60, 24, 30])
    x = np.array([[min(int(mix.whole() % n), int(mix.whole() % (n + int(c)))) for n in levels] for c in y])
    metric = ValueDifferenceMetric(n_categories=levels).fit(x, y)
    k = 3
    votes = {}
    for c in [1, 2]:
        rows = x[y == c]
        distances = metric.pairwise(rows)
        order = np.sort(distances, axis=1)
        clear = order[:, k] < order[:, k + 1] - 1e-9
        near = np.argsort(distances, axis=1, kind="stable")[:, : k + 1]
        found = mode(rows[near], axis=1, keepdims=False).mode
        votes[str(c)] = [v.tolist() if ok else None for v, ok in zip(found, clear)]
        # What the sampler itself makes has to be among the votes.
        sampler = SMOTEN(k_neighbors=k, random_state=0)
        made, labels = sampler.fit_resample(x, y)
        made = {tuple(row) for row in made[len(x) :][labels[len(x) :] == c]}
        if clear.all():
            assert made <= {tuple(row) for row in found.tolist()}
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "levels": levels,
        "k": k,
        "distances": np.round(metric.pairwise(x[y == 1]), 15).tolist(),
        "votes": votes,
    }


def distributions():
    x, y = draw(**DRAWN)
    target = {0: 25 + LARGE, 1: 60}
    made = {}
    for name, sampler in [
        ("borderline-smote", BorderlineSMOTE(sampling_strategy=target, random_state=1)),
        ("adasyn", ADASYN(sampling_strategy=target, random_state=1)),
    ]:
        rows, _ = sampler.fit_resample(x, y)
        made[name] = moments(rows[len(x) :])
    _, parts = svm(x, y, 10, target)
    made["svm-smote"] = {("out" if step < 0 else "in"): moments(rows) for step, rows in parts}
    return {"data": DRAWN, "made": made}


def main():
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", message=".*The number of physical cores.*")
    sets = []
    for about in SETS:
        x, y = draw(**about)
        case = {"data": about}
        case["adasyn"] = [{"k": k, "rows": adasyn(x, y, k)} for k in [5, 3]]
        case["borderline"] = [{"m": m, "danger": borderline(x, y, m)} for m in [10, 5]]
        case["svm"] = [{"m": m, "support": svm(x, y, m)[0]} for m in [10, 4]]
        sets.append(case)
    out = {
        "sets": sets,
        "kmeans": kmeans(),
        "nominal": nominal(),
        "distributions": distributions(),
    }
    text = json.dumps(out, separators=(",", ":")).replace('{"data"', '\n{"data"')
    (HERE / "over.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
