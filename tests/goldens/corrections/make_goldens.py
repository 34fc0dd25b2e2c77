"""Writes goldens.json: what imbalanced-learn and scikit-learn give for the corrections' tests.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_goldens.py

Everything is seeded; the same versions write the same file. Random methods are pinned by moments of
a large sample (with the standard error that the test has to allow for) and by what is exact: counts,
neighbour lists, scales.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from imblearn.metrics import geometric_mean_score
from imblearn.over_sampling import SMOTE, SMOTENC, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.class_weight import compute_class_weight

HERE = Path(__file__).parent
LARGE = 200_000


def labels(counts):
    return np.repeat(np.arange(len(counts)), counts)


def strategies():
    """Rows a class after resampling, or why imbalanced-learn refuses."""
    shapes = [[100, 10], [10, 100], [50, 50], [97, 13], [60, 9, 31], [5, 20, 5], [7, 7, 1]]
    words = ["auto", "minority", "not-majority", "not-minority", "all"]
    ratios = [1.0, 0.8, 0.5, 0.29, 0.1, 0.05]
    cases = []
    for counts in shapes:
        tables = [
            {"0": counts[0]},
            {"1": counts[1] + 3},
            {"1": counts[1] - 1},
            {"0": counts[0] + 1, "1": counts[1] + 1},
            {"0": 2, "1": 3},
            {"9": 5},
        ]
        for direction, sampler in [("over", RandomOverSampler), ("under", RandomUnderSampler)]:
            for strategy in [*words, *ratios, *tables]:
                given = strategy
                if isinstance(strategy, str):
                    given = strategy.replace("-", " ")
                elif isinstance(strategy, dict):
                    given = {int(name): n for name, n in strategy.items()}
                y = labels(counts)
                case = {"counts": counts, "direction": direction, "strategy": strategy}
                try:
                    _, after = sampler(sampling_strategy=given, random_state=0).fit_resample(
                        np.arange(len(y), dtype=float).reshape(-1, 1), y
                    )
                    case["after"] = np.bincount(after, minlength=len(counts)).tolist()
                except ValueError as error:
                    case["error"] = str(error).split(".")[0]
                cases.append(case)
    return cases


def neighbour_lists(x, k):
    """A tree computes each distance directly, so near-duplicates do not cancel."""
    tree = NearestNeighbors(n_neighbors=k + 1, algorithm="kd_tree").fit(x)
    distances, rows = tree.kneighbors(x)
    assert (rows[:, 0] == np.arange(len(x))).all() and (np.diff(distances) > 0).all(), "no ties"
    return rows[:, 1:].tolist(), distances[:, 1:].tolist()


def moments(rows):
    return {
        "n": len(rows),
        "mean": rows.mean(axis=0).tolist(),
        "covariance": np.cov(rows, rowvar=False, ddof=0).tolist(),
    }


def rounded(x):
    """Few digits in the file; the rounded values are what everything is computed from."""
    return np.round(x, 6)


def main():
    warnings.simplefilter("error")
    rng = np.random.default_rng(20260101)
    out = {"strategies": strategies()}

    x = rounded(rng.normal(size=(150, 4)))
    rows, distances = neighbour_lists(x, 7)
    out["neighbours"] = {"x": x.tolist(), "k": 7, "rows": rows, "distances": distances}

    # SMOTE: the minority is the first 12 rows.
    x = rounded(np.vstack([rng.normal(size=(12, 3)) * [1.0, 2.0, 0.5], rng.normal(size=(20, 3)) + 4]))
    y = labels([12, 20])
    made, _ = SMOTE(
        sampling_strategy={0: 12 + LARGE, 1: 20}, k_neighbors=3, random_state=1
    ).fit_resample(x, y)
    out["smote"] = {"x": x.tolist(), "counts": [12, 20], "k": 3, "made": moments(made[32:])}

    # SMOTE-NC: two numeric and two binary columns; with k = 3 no vote is tied.
    numeric = rounded(np.vstack([rng.normal(size=(15, 2)) * [1.0, 3.0], rng.normal(size=(25, 2)) + 2]))
    codes = (rng.random((40, 2)) < [0.5, 0.3]).astype(float)
    x = np.column_stack([numeric[:, 0], codes, numeric[:, 1]])
    y = labels([15, 25])
    sampler = SMOTENC(
        [1, 2], sampling_strategy={0: 15 + LARGE, 1: 25}, k_neighbors=3, random_state=2
    )
    made, _ = sampler.fit_resample(x, y)
    made = np.asarray(made, dtype=float)
    scale = float(sampler.median_std_[0])
    one_hot = OneHotEncoder(sparse_output=False).fit(codes).transform(codes[:15])
    rows, distances = neighbour_lists(np.column_stack([numeric[:15], one_hot * scale / np.sqrt(2)]), 3)
    out["smote_nc"] = {
        "x": x.tolist(),
        "counts": [15, 25],
        "k": 3,
        "scale": scale,
        "rows": rows,
        "distances": distances,
        "made": moments(made[40:]),
    }

    # The smoothed bootstrap: what is added to the copied rows.
    x = rounded(np.vstack([rng.normal(size=(10, 2)) * [1.0, 5.0], rng.normal(size=(30, 2))]))
    y = labels([10, 30])
    sampler = RandomOverSampler(
        sampling_strategy={0: 10 + LARGE, 1: 30}, shrinkage=0.7, random_state=3
    )
    made, _ = sampler.fit_resample(x, y)
    jitter = (made - x[sampler.sample_indices_])[40:]
    out["random_over"] = {
        "x": x.tolist(),
        "counts": [10, 30],
        "shrinkage": 0.7,
        "made": moments(made[40:]),
        "jitter": moments(jitter),
    }

    out["balanced_weights"] = [
        {
            "counts": counts,
            "weights": compute_class_weight(
                "balanced", classes=np.arange(len(counts)), y=labels(counts)
            ).tolist(),
        }
        for counts in [[90, 10], [1000, 7, 31], [5, 5, 5, 5]]
    ]

    criteria = []
    for k, n in [(2, 30), (3, 40), (5, 60), (2, 4), (3, 5)]:
        truth = np.concatenate([np.arange(k), rng.integers(0, k, n - k)]) if n >= k else None
        decided = np.where(rng.random(n) < 0.6, truth, rng.integers(0, k, n))
        criteria.append(
            {
                "truth": truth.tolist(),
                "decided": decided.tolist(),
                "n_classes": k,
                "balanced-error": 1.0 - balanced_accuracy_score(truth, decided),
                "g-mean": float(geometric_mean_score(truth, decided, average="multiclass")),
                "macro-f1": float(f1_score(truth, decided, average="macro")),
            }
        )
    out["criteria"] = criteria

    (HERE / "goldens.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
