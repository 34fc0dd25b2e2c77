"""CPU seconds and peak memory of whole fits of our tree learners and their peers on the same rows, one
thread, in turn, from the repository's root:

    pip install numpy scikit-learn lightgbm
    cargo build --release -p counterweight-models --example peers
    python tests/peers/trees.py [REPEATS]

Prints a table with the least of the repeats (default 5) and the ratio ours / theirs. Peak memory is what
a fit adds to the memory of a process that holds the rows, each fit in a process of its own. The rows
are Gaussian classes with means 2 apart.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

BINARY = Path("target/release/examples/peers")
CASES = [
    ("gradient-boosting", "lightgbm", 50_000, 20, 2, 1.0),
    ("gradient-boosting", "lightgbm", 50_000, 20, 3, 1.0),
    ("gradient-boosting", "lightgbm", 2_000, 10, 2, 1 / 4),
    ("random-forest", "forest", 10_000, 20, 2, 1 / 5),
    ("random-forest", "forest", 10_000, 20, 3, 1 / 5),
    ("random-forest", "forest", 2_000, 10, 2, 1 / 12),
    ("extra-trees", "extra", 10_000, 20, 2, 1.0),
    ("decision-tree", "tree", 10_000, 20, 2, 1.0),
    ("adaboost", "adaboost", 10_000, 20, 2, 1.0),
]


def peer(name):
    from lightgbm import LGBMClassifier
    from sklearn import ensemble, tree

    return {
        "lightgbm": lambda: LGBMClassifier(
            n_estimators=100, n_jobs=1, force_col_wise=True, verbose=-1
        ),
        "forest": lambda: ensemble.RandomForestClassifier(100, n_jobs=1, random_state=0),
        "extra": lambda: ensemble.ExtraTreesClassifier(100, n_jobs=1, random_state=0),
        "tree": lambda: tree.DecisionTreeClassifier(random_state=0),
        "adaboost": lambda: ensemble.AdaBoostClassifier(random_state=0),
    }[name]()


def gauss(n, d, k):
    rng = np.random.default_rng(0)
    y = rng.integers(k, size=n)
    return np.eye(k, d)[y] * np.sqrt(2) + rng.standard_normal((n, d)), y


def write(path, x, y, x_test, n_classes):
    shape = np.array([len(x), len(x_test), x.shape[1], n_classes], dtype="<u8")
    parts = [shape, x.astype("<f8"), y.astype("<u4"), x_test.astype("<f8")]
    path.write_bytes(b"".join(np.ascontiguousarray(p).tobytes() for p in parts))


def ours(folder, learner):
    command = [BINARY, folder / "task", folder / "scores", "1", learner]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    values = dict(line.split() for line in text.splitlines())
    return float(values["fit"]), float(values["peak"])


def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(key))


def theirs(name, n, d, k):
    """One fit in this process: CPU seconds and MB that it adds at its peak."""
    x, y = gauss(n, d, k)
    model = peer(name)
    # What the library loads at its first fit is not what a fit takes.
    peer(name).fit(x[:200], y[:200])
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    started = time.process_time()
    model.fit(x, y)
    return time.process_time() - started, status("VmHWM") - before


def main(repeats):
    print("learner            peer          n  d K   ours s  theirs s  ratio  (goal)   ours MB  theirs MB  ratio")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for learner, name, n, d, k, goal in CASES:
            x, y = gauss(n, d, k)
            write(folder / "task", x, y, x[:10], k)
            mine, other = [], []
            for _ in range(repeats):
                mine.append(ours(folder, learner))
                # A process that only fits, so that its peak is the fit's.
                call = [sys.executable, __file__, "one", name, str(n), str(d), str(k)]
                text = subprocess.run(call, check=True, capture_output=True, text=True).stdout
                other.append(tuple(map(float, text.split())))
            (a, p), (b, q) = (min(v[0] for v in mine), min(v[1] for v in mine)), (
                min(v[0] for v in other),
                min(v[1] for v in other),
            )
            print(
                f"{learner:18} {name:9} {n:6} {d:2} {k} {a:8.3f} {b:9.3f} {a / b:6.3f}  ({goal:.3f})"
                f"  {p:8.1f} {q:10.1f} {p / max(q, 0.1):6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(*theirs(sys.argv[2], *map(int, sys.argv[3:])))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 5)
