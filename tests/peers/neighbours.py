"""CPU time of k nearest neighbours (fit and predict), ours over scikit-learn's, one thread each.

    pip install scikit-learn && cargo build --release -p counterweight-models --benches
    python tests/peers/neighbours.py target/release/deps/neighbours-HASH

Runs both in turn, several times, and prints the least CPU seconds of each and their ratio. The data have
the same laws, not the same numbers.
"""

import json
import os
import subprocess
import sys
import time

for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[v] = "1"

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

OPERATIONS = {
    "cloud_n10000_q10000_d20": (10_000, 10_000, 20, False),
    "cloud_n10000_q10000_d5": (10_000, 10_000, 5, False),
    "cloud_n10000_q10000_d2": (10_000, 10_000, 2, False),
    "curve_n10000_q10000_d20": (10_000, 10_000, 20, True),
    "cloud_n2000_q2000_d10": (2_000, 2_000, 10, False),
    "cloud_n10000_q10000_d100": (10_000, 10_000, 100, False),
}


def rows(rng, n, d, curve):
    y = np.arange(n) % 2
    if curve:
        return np.sin(6 * rng.random((n, 1)) + np.arange(d)), y
    return np.eye(2, d)[y] * np.sqrt(2) + rng.standard_normal((n, d)), y


def theirs(n, q, d, curve, algorithm):
    rng = np.random.default_rng(0)
    (x, y), (queries, _) = rows(rng, n, d, curve), rows(rng, q, d, curve)
    start = time.process_time()
    KNeighborsClassifier(5, algorithm=algorithm).fit(x, y).predict_proba(queries)
    return time.process_time() - start


def main():
    program, turns = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    theirs(100, 100, 3, False, "auto")
    print(f"{'operation':<28} {'ours':>8} {'auto':>8} {'ratio':>7} {'brute':>8} {'ratio':>7}")
    for name, size in OPERATIONS.items():
        best = {"ours": np.inf, "auto": np.inf, "brute": np.inf}
        for _ in range(turns):
            out = subprocess.run([program, "1", name], capture_output=True, text=True, check=True)
            best["ours"] = min(best["ours"], json.loads(out.stdout)["cpu_min_s"])
            for algorithm in ("auto", "brute"):
                best[algorithm] = min(best[algorithm], theirs(*size, algorithm))
        o, a, b = best.values()
        print(f"{name:<28} {o:>8.4f} {a:>8.4f} {o / a:>7.2f} {b:>8.4f} {o / b:>7.2f}", flush=True)


if __name__ == "__main__":
    main()
