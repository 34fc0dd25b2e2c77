"""CPU seconds and peak memory of our work beside its peers', as the page docs/PERFORMANCE.md, from the repository's root:

    python3 -m venv venv && venv/bin/pip install -r tests/peers/requirements.txt
    cargo build --release && cargo build --release -p counterweight-models --example peers
    venv/bin/python tests/peers/table.py [--rounds 3] [--only PART] > docs/PERFORMANCE.md

Both sides see the same rows, on one thread each, in turn: ours, theirs, ours, theirs. A figure is the median of the
rounds, a ratio the median of the rounds' ratios, so that a machine that is busy with other things shifts neither much.
"""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

import over
import sweep
import trees
import under

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
PROGRAM = ROOT / "target/release/counterweight"
LEARNERS = [
    (learner, peer, n, d, k)
    for learner, peer in (("gradient-boosting", "lightgbm"), ("random-forest", "forest"))
    for n, d in ((2_000, 10), (50_000, 20))
    for k in (2, 3, 10)
]
SAMPLERS = [
    (over, "smote"),
    (over, "borderline-smote"),
    (over, "adasyn"),
    (under, "tomek-links"),
    (under, "enn"),
    (under, "near-miss-1"),
]


def process(command):
    """CPU seconds and peak memory in MB of a process."""
    # Its output goes nowhere, so that it never waits for a reader.
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise SystemExit(f"{command} ended with {started.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def rows(n, d, k):
    """Training and test rows: Gaussian classes with means 2 apart, the largest 20 times the smallest."""
    rng = np.random.default_rng(0)
    sizes = sweep.class_sizes(n, 20, k)
    for n_rows in (n, min(n, 10_000)):
        y = rng.permutation(np.repeat(np.arange(k), sizes))[:n_rows]
        yield np.eye(k, d)[y] * np.sqrt(2) + rng.standard_normal((n_rows, d)), y


def their_fit(name, n, d, k):
    """A fit and the scores of the test rows in this process: CPU seconds, and MB that they add at their peak."""
    warnings.simplefilter("ignore")
    (x, y), (x_test, _) = rows(n, d, k)
    # What the library loads at its first fit is not what a fit takes.
    trees.peer(name).fit(x[:500], np.arange(500) % k).predict_proba(x[:10])
    model = trees.peer(name)
    Path("/proc/self/clear_refs").write_text("5")
    before = trees.status("VmRSS")
    started = time.process_time()
    model.fit(x, y).predict_proba(x_test)
    print(time.process_time() - started, trees.status("VmHWM") - before)


def learner(folder, learner, peer, n, d, k):
    (x, y), (x_test, _) = rows(n, d, k)
    trees.write(folder / "task", x, y, x_test, k)
    words = [ROOT / trees.BINARY, folder / "task", folder / "scores", "1", learner]

    def ours():
        text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        values = {key: float(value) for key, value in map(str.split, text.splitlines())}
        return values["fit"] + values["score"], values["peak"]

    def theirs():
        words = [sys.executable, HERE, "one", peer, str(n), str(d), str(k)]
        text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        return tuple(map(float, text.split()))

    return ours, theirs


def sampler(folder, module, name):
    x, y = over.rows(20_000, 20, 10)
    data = folder / "rows.csv"
    np.savetxt(data, np.column_stack([x, y]), fmt=["%.17g"] * x.shape[1] + ["%d"], delimiter=",")
    program = over.build(module.__name__)
    theirs = next(entry[1] for entry in module.OPERATIONS if entry[0] == name)

    def measured(seconds):
        return (seconds[0] if isinstance(seconds, tuple) else seconds), None

    return (
        lambda: measured(module.ours(program, data, name)),
        lambda: measured(module.theirs(theirs, x, y)),
    )


def whole_sweep(folder):
    sweep.pairs(folder)
    run = [PROGRAM, "run", folder, "--fresh", "--jobs", "1", "--no-report", "--quiet"]
    return (
        lambda: process(run),
        lambda: process([sys.executable, HERE.parent / "sweep.py", "run", folder / "table.csv"]),
    )


def works():
    """What there is to compare: work, peer, and a function that gives both sides for a folder."""
    cells = "16 splits, 6 models, 20 cells of each: the whole process"
    yield cells, "scikit-learn, imbalanced-learn, LightGBM", whole_sweep
    names = {"lightgbm": "LightGBM", "forest": "scikit-learn"}
    for case in LEARNERS:
        what = "{0}: fit and score, n = {2:,}, d = {3}, K = {4}".format(*case)
        yield what, names[case[1]], lambda folder, case=case: learner(folder, *case)
    for module, name in SAMPLERS:
        what = f"{name}: n = 20,000, d = 20, 10:1"
        yield what, "imbalanced-learn", lambda folder, at=(module, name): sampler(folder, *at)


def machine():
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    cpu = names[0] if names else platform.processor() or platform.machine()
    wide = ", AVX-512" if "avx512f" in text else ""
    return f"{os.cpu_count()} cores, {cpu}{wide}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="work whose name contains this")
    options = parser.parse_args()
    print("# Performance\n")
    print("CPU seconds and peak memory beside other programs on the same rows, one thread each. Written by")
    print("`tests/peers/table.py`, which says how to run it; the ratios are what carries over to another machine.\n")
    load = f"load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    print(f"{datetime.date.today()}, {machine()}, {load}; medians of {options.rounds} rounds in turn.\n")
    print("| work | ours s | peer | peer s | peer / ours | ours MB | peer MB |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for work, peer, sides in works():
        if options.only not in work:
            continue
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = sides(Path(folder))
            pairs = [(ours(), theirs()) for _ in range(options.rounds)]
        seconds = [statistics.median(pair[side][0] for pair in pairs) for side in (0, 1)]
        ratio = statistics.median(b[0] / a[0] for a, b in pairs)
        peaks = [
            "-" if pairs[0][side][1] is None else f"{statistics.median(p[side][1] for p in pairs):.0f}"
            for side in (0, 1)
        ]
        cells = [work, f"{seconds[0]:.3g}", peer, f"{seconds[1]:.3g}", f"{ratio:.1f}", *peaks]
        print("| " + " | ".join(cells) + " |", flush=True)
    print("\nSeconds of samplers are the least of several runs in each round. The sweep computes some 20 metrics of")
    print("each cell here and 6 there, and tunes thresholds of three classes too; its memory is that of the process.")
    print("Peaks of a fit are what it adds to the process that holds the rows.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        their_fit(sys.argv[2], *map(int, sys.argv[3:]))
    else:
        main()
