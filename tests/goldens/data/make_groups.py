"""Writes groups.csv: how near to stratified scikit-learn's StratifiedGroupKFold comes, over five folds.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_groups.py

A line for each made-up table: the class of each row, the group of each row, and the root of the mean square, over
folds and classes, of how far a fold is from its share of a class (in shares), averaged over 20 seeds.
"""

import csv
import warnings
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

FOLDS = 5
SIZES = [
    lambda rng, n: np.full(n, 6),
    lambda rng, n: rng.integers(1, 12, n),
    lambda rng, n: np.maximum(1, rng.lognormal(1.5, 1.0, n)).astype(int),
    lambda rng, n: rng.integers(1, 4, n),
]


def table(rng, kind):
    """Groups of unequal sizes and class shares."""
    n, k = int(rng.integers(8, 60)), int(rng.integers(2, 6))
    prior = 0.6 ** np.arange(k)
    prior /= prior.sum()
    y, g = [], []
    for group, size in enumerate(SIZES[kind % 4](rng, n)):
        shares = rng.dirichlet(prior * (0.7 if kind % 3 == 0 else 5))
        y += list(rng.choice(k, size, p=shares))
        g += [group] * int(size)
    return np.array(y), np.array(g)


def spread(y, owner):
    counts = np.zeros((FOLDS, y.max() + 1))
    np.add.at(counts, (owner, y), 1)
    share = np.bincount(y) / FOLDS
    there = share > 0
    off = (counts[:, there] - share[there]) / share[there]
    return np.sqrt((off**2).mean())


def scikit_learn(y, g):
    found = []
    for seed in range(20):
        owner = np.zeros(len(y), int)
        split = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(y, y, g)
        for fold, (_, test) in enumerate(split):
            owner[test] = fold
        found.append(spread(y, owner))
    return np.mean(found)


def main():
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(15)
    with (Path(__file__).parent / "groups.csv").open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["classes", "groups", "spread"])
        for kind in range(24):
            y, g = table(rng, kind)
            out.writerow([" ".join(map(str, y)), " ".join(map(str, g)), f"{scikit_learn(y, g):.6f}"])


main()
