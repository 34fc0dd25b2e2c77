"""Writes random.json: what samplers that draw do in imbalanced-learn, over many seeds.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_random.py

The data come from make_under.py's generator and are not in the file.

* instance-hardness: how often each row stays, over the folds that the seeds deal (normal naive Bayes).
* smote-tomek, smote-enn: mean and standard deviation of the rows that each class is left with.
* cluster-centroids: on groups that no k-means can miss, the centres and the rows nearest to them; on
  classes that overlap, the mean squared distance of the class's rows to the nearest centre.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.under_sampling import ClusterCentroids, InstanceHardnessThreshold
from sklearn.naive_bayes import GaussianNB

from make_under import Mix, draw

HERE = Path(__file__).parent
SEEDS = 200
SETS = [
    {"seed": 21, "counts": [150, 50], "cols": 3, "gap": 0.75, "shuffled": True},
    {"seed": 22, "counts": [40, 120, 80], "cols": 2, "gap": 1.0, "shuffled": True},
]
GROUPS = {"seed": 23, "groups": 6, "rows": 7, "cols": 2, "apart": 50.0}


def groups(seed, groups, rows, cols, apart):
    """Tight groups of class 0, then as many rows of class 1 as there are groups."""
    mix = Mix(seed)
    x = [[mix.bell() + apart * g * (j + 1) for j in range(cols)] for g in range(groups) for _ in range(rows)]
    x += [[mix.bell() - apart for _ in range(cols)] for _ in range(groups)]
    return np.array(x), np.array([0] * groups * rows + [1] * groups)


def stays(about):
    x, y = draw(**about)
    often = np.zeros(len(y), dtype=int)
    for seed in range(SEEDS):
        sampler = InstanceHardnessThreshold(estimator=GaussianNB(), cv=5, random_state=seed)
        sampler.fit_resample(x, y)
        often[sampler.sample_indices_] += 1
    return often.tolist()


def left(sampler, about):
    x, y = draw(**about)
    counts = [
        np.bincount(sampler(random_state=seed).fit_resample(x, y)[1], minlength=len(about["counts"]))
        for seed in range(SEEDS)
    ]
    return {"mean": np.mean(counts, axis=0).tolist(), "std": np.std(counts, axis=0, ddof=1).tolist()}


def spread(about):
    """Of each class that shrinks, over 20 seeds."""
    x, y = draw(**about)
    counts = np.bincount(y)
    found = {}
    for label in range(len(counts)):
        if counts[label] == counts.min():
            continue
        each = []
        for seed in range(20):
            centres, of = ClusterCentroids(voting="soft", random_state=seed).fit_resample(x, y)
            gaps = x[y == label][:, None, :] - centres[of == label][None, :, :]
            each.append((gaps**2).sum(axis=2).min(axis=1).mean())
        found[str(label)] = {"mean": np.mean(each), "std": np.std(each, ddof=1)}
    return found


def main():
    warnings.simplefilter("error")
    sets = [
        {
            "data": about,
            "instance-hardness": stays(about),
            "smote-tomek": left(SMOTETomek, about),
            "smote-enn": left(SMOTEENN, about),
            "cluster-centroids": spread(about),
        }
        for about in SETS
    ]
    x, y = groups(**GROUPS)
    centres, of = ClusterCentroids(voting="soft", random_state=0).fit_resample(x, y)
    soft = sorted(centres[of == 0].tolist())
    means = sorted(x[y == 0].reshape(GROUPS["groups"], -1, GROUPS["cols"]).mean(axis=1).tolist())
    assert np.allclose(soft, means), "k-means missed a group"
    kept, of = ClusterCentroids(voting="hard", random_state=0).fit_resample(x, y)
    hard = sorted(int(np.flatnonzero((x == row).all(axis=1))[0]) for row in kept[of == 0])
    text = json.dumps(
        {"seeds": SEEDS, "groups": {"data": GROUPS, "soft": soft, "hard": hard}, "sets": sets},
        separators=(",", ":"),
    )
    (HERE / "random.json").write_text(text.replace('{"data"', '\n{"data"') + "\n")


if __name__ == "__main__":
    main()
