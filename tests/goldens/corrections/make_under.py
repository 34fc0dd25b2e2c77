"""Writes under.json and tomek.csv: the rows that imbalanced-learn keeps.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_under.py

The data are not in the file: both sides draw them from splitmix64 in arithmetic without rounding
differences, so sets of 2,000 rows cost nothing. Kept rows are a bit map in hexadecimal digits, the
first row in the highest bit. Methods with random seeds are given with the seeds that they drew.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from imblearn.under_sampling import (
    AllKNN,
    CondensedNearestNeighbour,
    EditedNearestNeighbours,
    NearMiss,
    NeighbourhoodCleaningRule,
    OneSidedSelection,
    RepeatedEditedNearestNeighbours,
    TomekLinks,
)

HERE = Path(__file__).parent
MASK = (1 << 64) - 1


class Mix:
    """splitmix64."""

    def __init__(self, seed):
        self.state = seed

    def whole(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def bell(self):
        """The sum of four uniform numbers of 32 bits, less its mean: exact."""
        return sum((self.whole() >> 32) / 2**32 for _ in range(4)) - 2.0


def draw(seed, counts, cols, gap, shuffled):
    mix = Mix(seed)
    y = [k for k, n in enumerate(counts) for _ in range(n)]
    if shuffled:
        for at in range(len(y) - 1, 0, -1):
            other = mix.whole() % (at + 1)
            y[at], y[other] = y[other], y[at]
    x = [[mix.bell() + (gap if k == j else 0.0) for j in range(cols)] for k in y]
    return np.array(x), np.array(y)


def bits(n, kept):
    digits = np.zeros(-(-n // 4) * 4, dtype=int)
    digits[kept] = 1
    return "".join(f"{int(''.join(map(str, d)), 2):x}" for d in digits.reshape(-1, 4))


SETS = [
    {"seed": 1, "counts": [14, 6], "cols": 2, "gap": 0.5, "shuffled": False},
    {"seed": 2, "counts": [8, 32], "cols": 3, "gap": 0.5, "shuffled": True},
    {"seed": 3, "counts": [60, 20, 10], "cols": 3, "gap": 0.75, "shuffled": True},
    {"seed": 4, "counts": [160, 40], "cols": 5, "gap": 1.0, "shuffled": False},
    {"seed": 5, "counts": [50, 200, 100, 150], "cols": 2, "gap": 1.0, "shuffled": True},
    {"seed": 6, "counts": [900, 300, 100], "cols": 4, "gap": 0.75, "shuffled": True},
    {"seed": 7, "counts": [1700, 300], "cols": 20, "gap": 1.0, "shuffled": True},
    {"seed": 8, "counts": [150, 350, 1500], "cols": 8, "gap": 0.5, "shuffled": True},
]


def plain():
    """Sampler, our id, our parameters, its arguments."""
    for strategy in ["auto", "majority", "not-majority", "all"]:
        theirs = {"sampling_strategy": strategy.replace("-", " ")}
        yield TomekLinks, "tomek-links", {"strategy": strategy}, theirs
    for rule in ["all", "mode"]:
        for k, strategy in [(3, "auto"), (1, "auto"), (5, "all")]:
            ours = {"rule": rule, "k": k, "strategy": strategy}
            theirs = {"kind_sel": rule, "n_neighbors": k, "sampling_strategy": strategy}
            yield EditedNearestNeighbours, "enn", ours, theirs
        for k, rounds, strategy in [(3, 100, "auto"), (4, 2, "auto"), (3, 100, "all")]:
            ours = {"rule": rule, "k": k, "rounds": rounds, "strategy": strategy}
            theirs = {"kind_sel": rule, "n_neighbors": k, "max_iter": rounds}
            theirs["sampling_strategy"] = strategy
            yield RepeatedEditedNearestNeighbours, "repeated-enn", ours, theirs
        for k, allow in [(3, False), (6, False), (6, True)]:
            ours = {"rule": rule, "k": k, "allow_minority": allow}
            theirs = {"kind_sel": rule, "n_neighbors": k, "allow_minority": allow}
            yield AllKNN, "all-knn", ours, theirs
    for k, threshold in [(3, 0.5), (5, 0.5), (3, 2.5)]:
        ours = {"k": k, "threshold": threshold}
        theirs = {"n_neighbors": k, "threshold_cleaning": threshold}
        yield NeighbourhoodCleaningRule, "neighbourhood-cleaning", ours, theirs
    for version, k, k3 in [(1, 3, 3), (1, 5, 3), (2, 3, 3), (3, 3, 3), (3, 1, 6)]:
        ours = {"version": version, "k": k, "k3": k3}
        theirs = {"version": version, "n_neighbors": k, "n_neighbors_ver3": k3}
        yield NearMiss, "near-miss", ours, theirs


def seeded(x, y):
    """Sampler, our id, our parameters with the seeds that it draws, its arguments."""
    counts = np.bincount(y)
    for state, (k, seeds) in enumerate([(1, 1), (1, 3), (3, 2)]):
        for sampler, id in [
            (CondensedNearestNeighbour, "condensed-nn"),
            (OneSidedSelection, "one-sided-selection"),
        ]:
            # All that it draws: seeds a class, class after class, all but the smallest.
            random = np.random.RandomState(state)
            rows = []
            for c in range(len(counts)):
                if c != counts.argmin():
                    drawn = random.randint(low=0, high=counts[c], size=seeds)
                    rows.extend(np.flatnonzero(y == c)[drawn].tolist())
            ours = {"k": k, "seed_rows": rows}
            theirs = {"n_neighbors": k, "n_seeds_S": seeds, "random_state": state}
            if id == "condensed-nn":
                ours["replay"] = True
            yield sampler, id, ours, theirs


def main():
    warnings.simplefilter("error")
    sets = []
    for about in SETS:
        x, y = draw(**about)
        cases = []
        for sampler, id, ours, theirs in [*plain(), *seeded(x, y)]:
            # Its one-neighbour and condensed searches are slow, and say little more at this size.
            if id == "condensed-nn" and len(y) > 1500 and ours["k"] > 1:
                continue
            fitted = sampler(**theirs)
            try:
                fitted.fit_resample(x, y)
            except (ValueError, UserWarning) as error:
                # Version 3 warns that fewer rows are near than asked for; the rest are shapes that
                # it refuses (a round left fewer rows than neighbours).
                if "number of the samples to be selected" not in str(error):
                    cases.append({"id": id, "params": ours, "error": str(error).split(".")[0]})
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    fitted.fit_resample(x, y)
            cases.append({"id": id, "params": ours, "kept": bits(len(y), fitted.sample_indices_)})
        sets.append({"data": about, "cases": cases})
    # A file for the command line, with the target in the middle.
    x, y = draw(9, [70, 25, 10], 3, 0.75, True)
    y = np.array(["low", "mid", "high"])[y]
    lines = ["a,label,b,c"] + [f"{a!r},{k},{b!r},{c!r}" for (a, b, c), k in zip(x.tolist(), y)]
    (HERE / "tomek.csv").write_text("\n".join(lines) + "\n")
    tomek = TomekLinks()
    tomek.fit_resample(x, y)
    kept = tomek.sample_indices_.tolist()
    text = json.dumps({"tomek.csv": kept, "sets": sets}, separators=(",", ":")).replace('{"data"', '\n{"data"')
    (HERE / "under.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
