"""CPU seconds of our over-samplers beside imbalanced-learn's.

    python -m venv venv && venv/bin/pip install -r ../goldens/corrections/requirements.txt
    venv/bin/python over.py [--rows 20000] [--cols 20] [--ratio 10] [--rounds 3] [--only PART]

Both see the same rows, on one thread each. A round runs every operation once in our bench program
(which repeats it and takes the least CPU seconds) and right after it several times in
imbalanced-learn, so that other work on the machine hits both alike; the table gives the least of all
rounds, and their ratio. Methods that imbalanced-learn does not have are listed with ours alone.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from imblearn.over_sampling import (
    ADASYN,
    SMOTE,
    SVMSMOTE,
    BorderlineSMOTE,
    KMeansSMOTE,
    RandomOverSampler,
)

ROOT = Path(__file__).resolve().parents[2]

# Our name, theirs if there is one, and whether it is slow: then only when asked for.
OPERATIONS = [
    ("random-over", RandomOverSampler(random_state=0), False),
    ("smote", SMOTE(random_state=0), False),
    ("borderline-smote", BorderlineSMOTE(random_state=0), False),
    ("adasyn", ADASYN(random_state=0), False),
    ("kmeans-smote", KMeansSMOTE(cluster_balance_threshold=0.0, random_state=0), False),
    ("safe-level-smote", None, False),
    ("polynom-fit-smote", None, False),
    ("prowsyn", None, False),
    ("mwmote", None, False),
    ("smote-ipf", None, False),
    ("svm-smote", SVMSMOTE(random_state=0), True),
]


def rows(n, d, ratio):
    """Unit-covariance classes whose means are 2 apart."""
    random = np.random.default_rng(0)
    y = (random.random(n) < 1 / (1 + ratio)).astype(int)
    return np.eye(2, d)[y] * np.sqrt(2) + random.standard_normal((n, d)), y


def build(bench="over"):
    """The bench program, built by cargo with its own message stream."""
    done = subprocess.run(
        ["cargo", "bench", "--no-run", "--message-format=json", "-p", "counterweight-corrections", "--bench", bench],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for line in reversed(done.stdout.splitlines()):
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == bench:
            return message["executable"]
    raise SystemExit(f"cargo built no bench program called {bench}")


def ours(program, data, name):
    done = subprocess.run(
        [program, f"{name}_n"],
        env=os.environ | {"COUNTERWEIGHT_BENCH_ROWS": str(data)},
        capture_output=True,
        text=True,
        check=True,
    )
    for line in map(json.loads, done.stdout.splitlines()):
        if line["operation"].startswith(f"{name}_n"):
            return line["cpu_min_s"]
    raise SystemExit(f"the bench program does not know {name}")


def theirs(sampler, x, y):
    least, start = np.inf, time.process_time()
    for at in range(7):
        if at >= 3 and time.process_time() - start > 8:
            break
        before = time.process_time()
        sampler.fit_resample(x, y)
        least = min(least, time.process_time() - before)
    return least


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--cols", type=int, default=20)
    parser.add_argument("--ratio", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="operations whose name contains this")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    x, y = rows(options.rows, options.cols, options.ratio)
    program = build()
    chosen = [
        operation
        for operation in OPERATIONS
        if (options.only in operation[0] if options.only else not operation[2])
    ]
    least = {name: [np.inf, np.inf] for name, _, _ in chosen}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rows.csv"
        np.savetxt(data, np.column_stack([x, y]), fmt=["%.17g"] * x.shape[1] + ["%d"], delimiter=",")
        for _ in range(options.rounds):
            for name, sampler, _ in chosen:
                least[name][0] = min(least[name][0], ours(program, data, name))
                if sampler is not None:
                    least[name][1] = min(least[name][1], theirs(sampler, x, y))
    print(f"n = {len(y)}, d = {x.shape[1]}, minority {np.bincount(y).min()}")
    print(f"{'operation':<20} {'ours s':>9} {'theirs s':>9} {'ratio':>6}")
    for name, (mine, other) in least.items():
        against = f"{other:>9.4f} {mine / other:>6.2f}" if np.isfinite(other) else f"{'-':>9} {'-':>6}"
        print(f"{name:<20} {mine:>9.4f} {against}")


if __name__ == "__main__":
    main()
