"""CPU seconds of our under-samplers, cleaners and combined methods beside imbalanced-learn's.

    python -m venv venv && venv/bin/pip install -r ../goldens/corrections/requirements.txt
    venv/bin/python under.py [--rows 20000] [--cols 20] [--ratio 10] [--rounds 3] [--only PART]

Both see the same rows, on one thread each. A round runs every operation once in our bench program
(which repeats it and takes the least CPU seconds) and right after it several times in
imbalanced-learn, so that other work on the machine hits both alike; the table gives the least of all
rounds, and their ratio. Where both keep rows without chance, the numbers of rows have to agree.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import warnings

import numpy as np
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.under_sampling import (
    AllKNN,
    ClusterCentroids,
    CondensedNearestNeighbour,
    EditedNearestNeighbours,
    NearMiss,
    NeighbourhoodCleaningRule,
    OneSidedSelection,
    RepeatedEditedNearestNeighbours,
    TomekLinks,
)

import over


# Our name, theirs, and whether both keep rows without chance.
OPERATIONS = [
    ("tomek-links", TomekLinks(), True),
    ("enn", EditedNearestNeighbours(), True),
    ("repeated-enn", RepeatedEditedNearestNeighbours(), True),
    ("all-knn", AllKNN(), True),
    ("neighbourhood-cleaning", NeighbourhoodCleaningRule(), True),
    ("near-miss-1", NearMiss(version=1), True),
    ("near-miss-2", NearMiss(version=2), True),
    ("near-miss-3", NearMiss(version=3), True),
    ("one-sided-selection", OneSidedSelection(random_state=0), False),
    ("cluster-centroids", ClusterCentroids(random_state=0), False),
    ("smote-tomek", SMOTETomek(random_state=0), False),
    ("smote-enn", SMOTEENN(random_state=0), False),
]
# Fits a classifier anew for every row that joins: minutes, so only when asked for.
SLOW = [("condensed-nn", CondensedNearestNeighbour(random_state=0), False)]


def rows(n, d, ratio):
    """Unit-covariance classes whose means are 2 apart."""
    random = np.random.default_rng(0)
    y = (random.random(n) < 1 / (1 + ratio)).astype(int)
    return np.eye(2, d)[y] * np.sqrt(2) + random.standard_normal((n, d)), y


def ours(program, data, name):
    """The bench program's line on one operation."""
    done = subprocess.run(
        [program, f"{name}_n"],
        env=os.environ | {"COUNTERWEIGHT_BENCH_ROWS": str(data)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    line = next((line for line in lines if line["operation"].startswith(f"{name}_n")), None)
    return line and (line["cpu_min_s"], line["rows"])


def theirs(sampler, x, y):
    least, start = float("inf"), time.process_time()
    for at in range(5):
        if at and time.process_time() - start > 6:
            break
        before = time.process_time()
        kept, _ = sampler.fit_resample(x, y)
        least = min(least, time.process_time() - before)
    return least, len(kept)


def main():
    ask = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ask.add_argument("--rows", type=int, default=20_000)
    ask.add_argument("--cols", type=int, default=20)
    ask.add_argument("--ratio", type=float, default=10)
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--only", default="", help="operations whose name contains this")
    ask.add_argument("--slow", action="store_true", help="condensed-nn too")
    ask = ask.parse_args()
    warnings.simplefilter("ignore")
    program = over.build("under")
    x, y = rows(ask.rows, ask.cols, ask.ratio)
    best = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rows.csv"
        with data.open("w") as file:
            for cells, label in zip(x.tolist(), y.tolist()):
                file.write(",".join(map(repr, cells)) + f",{label}\n")
        for _ in range(ask.rounds):
            for name, sampler, fixed in OPERATIONS + (SLOW if ask.slow else []):
                if ask.only not in name:
                    continue
                mine = ours(program, data, name)
                if mine is None:
                    print(f"{name} is not in the bench program", file=sys.stderr)
                    continue
                peer = theirs(sampler, x, y)
                if fixed and mine[1] != peer[1]:
                    sys.exit(f"{name}: we keep {mine[1]} rows, imbalanced-learn {peer[1]}")
                had = best.get(name, (mine, peer))
                best[name] = (min(had[0], mine), min(had[1], peer))
    print(f"n = {ask.rows}, d = {ask.cols}, ratio {ask.ratio:g}: least CPU seconds")
    print(f"{'':24}{'ours':>9}{'theirs':>9}{'ratio':>8}")
    for name, ((mine, _), (peer, _)) in best.items():
        print(f"{name:24}{mine:9.3f}{peer:9.3f}{mine / peer:8.3f}")


if __name__ == "__main__":
    main()
