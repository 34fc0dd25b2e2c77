#!/usr/bin/env python3
"""Softmax regression beside scikit-learn's lbfgs: CPU seconds of whole fits at equal gradients.

    cargo bench -p counterweight-models --bench softmax --no-run
    python tests/peers/softmax.py target/release/deps/softmax-XXXX [--rounds 3]

Both fit the same rows (n = 10,000, d = 20, means 2 apart) under the same objective (C = 1, l2 = 1), one
thread. For each of scikit-learn's tolerances the gradient that it reaches is computed in our scale (the
largest |gradient| over the sum of |x| of its column) and given to the bench program as tolerance, so that
ours ends at that gradient or below. The two alternate; the least CPU seconds of each count. Prints a
Markdown table; a ratio below 1 means that ours takes less.
"""
import argparse
import json
import os
import subprocess
import tempfile

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import time
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")


def gauss(n, d, k, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.choice(k, n)
    return np.eye(k, d)[y] * np.sqrt(2) + rng.standard_normal((n, d)), y


def relative_gradient(x, y, k, model):
    f = x @ model.coef_.T + model.intercept_
    if k == 2:
        f = np.column_stack([np.zeros(len(x)), f[:, 0]])
    f -= f.max(axis=1, keepdims=True)
    p = np.exp(f)
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(x)), y] -= 1
    if k == 2:
        p = p[:, 1:]
    slopes = np.abs(x.T @ p + model.coef_.T) / np.abs(x).sum(axis=0)[:, None]
    return max(slopes.max(), np.abs(p.sum(axis=0)).max() / len(x))


def theirs(x, y, tolerance):
    start = time.process_time()
    model = LogisticRegression(max_iter=10_000, tol=tolerance).fit(x, y)
    return time.process_time() - start, model


def ours(program, rows, tolerance):
    out = subprocess.run(
        [program, f"{tolerance:e}"],
        env={**os.environ, "COUNTERWEIGHT_BENCH_ROWS": rows},
        check=True, capture_output=True, text=True,
    ).stdout
    return json.loads(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print("| K | scikit-learn's tol | its gradient | our gradient | ours, ms | theirs, ms | ratio |")
    print("|---|---|---|---|---|---|---|")
    for k in (2, 3, 10):
        x, y = gauss(10_000, 20, k)
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            np.savetxt(file, np.column_stack([x, y]), delimiter=",", fmt=["%.17g"] * 20 + ["%d"])
            file.flush()
            for tolerance in (1e-4, 1e-6, 1e-10):
                reached = relative_gradient(x, y, k, theirs(x, y, tolerance)[1])
                a, b = [], []
                for _ in range(args.rounds):
                    a.append(ours(args.program, file.name, min(reached, 0.1)))
                    b.extend(theirs(x, y, tolerance)[0] for _ in range(15))
                mine, other = min(r["cpu_seconds"] for r in a), min(b)
                print(f"| {k} | {tolerance:.0e} | {reached:.1e} | {a[0]['relative_gradient']:.1e} "
                      f"| {1e3 * mine:.2f} | {1e3 * other:.2f} | {mine / other:.2f} |", flush=True)


if __name__ == "__main__":
    main()
