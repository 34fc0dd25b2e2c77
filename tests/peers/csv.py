"""CPU seconds and peak memory of reading a CSV, ours over pandas.read_csv with its default engine.

    pip install pandas && cargo build --release -p counterweight-frame --example read
    python tests/peers/csv.py target/release/examples/read [ROUNDS]

Writes tables of the shape of the credit card frauds (285,000 rows of 30 reals and a class), and of others, to a
folder of its own, then reads each with both programs in turn, each in a process of its own. CPU seconds are user and system
time: of ours all of the process, of pandas those of the call alone, so that its import costs nothing. Peak memory is that of
the whole process. Ours also finds out kinds and classes, which pandas leaves to what comes next.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CHILD = """
import json, resource, sys, time
import pandas
start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
frame = pandas.read_csv(sys.argv[1])
assert len(frame)
used = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([used, peak / 1024, before / 1024]))
"""


TABLES = ["reals_285000x31", "two_decimals_285000x31", "codes_285000x31", "names_285000x11"]


def write(name, path, n=285_000):
    """One table; in a process of its own, since a process passes the peak of its memory on to those that it starts."""
    import numpy as np

    rng = np.random.default_rng(0)
    kind = name.split("_")[0]
    if kind == "names":
        words = np.array(["red", "green", "blue", "a longer name", "another one"])
        cells, form = words[rng.integers(0, 5, (n, 10))], ["%s"]
    elif kind == "codes":
        cells, form = rng.integers(0, 50, (n, 30)), ["%d"]
    else:
        cells, form = rng.standard_normal((n, 30)), ["%.15g" if kind == "reals" else "%.2f"]
    line = ",".join(form * cells.shape[1]) + ",%d\n"
    with open(path, "w") as file:
        file.write(",".join(f"v{at}" for at in range(cells.shape[1])) + ",y\n")
        for row, y in zip(cells, rng.random(n) < 0.05):
            file.write(line % (*row, y))


def ours(program, path):
    pid = os.posix_spawn(
        program,
        [program, str(path), "y"],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, used = os.wait4(pid, 0)
    assert status == 0, f"{program} ended with {status}"
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def theirs(path):
    done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)[:2]


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(f"{'table':<24} {'CPU s':>8} {'pandas':>8} {'ratio':>6} {'MB':>8} {'pandas':>8} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for name in TABLES:
            path = Path(folder) / f"{name}.csv"
            subprocess.run([sys.executable, __file__, "--write", name, str(path)], check=True)
            runs = [(ours(program, path), theirs(path)) for _ in range(rounds)]
            (cpu, memory), (their_cpu, their_memory) = (
                [min(run[side][at] for run in runs) for at in (0, 1)] for side in (0, 1)
            )
            ratios = cpu / their_cpu, memory / their_memory
            print(
                f"{name:<24} {cpu:>8.2f} {their_cpu:>8.2f} {ratios[0]:>6.2f}"
                f" {memory:>8.0f} {their_memory:>8.0f} {ratios[1]:>6.2f}",
                flush=True,
            )
            path.unlink()


if __name__ == "__main__":
    if sys.argv[1] == "--write":
        write(*sys.argv[2:])
    else:
        main()
