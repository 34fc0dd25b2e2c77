"""What curves of 10,000 taus add to the sweep whose scores they are drawn from.

    cargo build --release && python tests/peers/curves.py [--points 10000] [--rounds 1] [--all-models]

Takes the 55 datasets of reports/reference, at their natural ratio, and its protocol; runs the families
of corrections on four of its models (the cheap ones, where a curve weighs most) once as they are and
once with a curve over tau on every fit, both from nothing and on one thread, and prints user CPU
seconds and their ratio.
"""

import argparse
import os
import re
import resource
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target" / "release" / "counterweight"
MODELS = ["softmax-regression", "gaussian-naive-bayes", "k-nearest-neighbours", "random-forest"]
CURVE = """
[[curve]]
decide = { kind = "logit-adjust" }
parameter = "tau"
from = -1.0
to = 3.0
points = %d
"""


def sweep(all_models):
    text = (ROOT / "reports" / "reference" / "sweep.toml").read_text()
    head = text[: text.index("[[population]]")]
    sets = re.findall(r'\[\[dataset\]\]\nname = "([^"]+)"', text)
    models = text[text.index("[[model]]") : text.index("[[correction]]")]
    if not all_models:
        each = ["[[model]]" + part for part in models.split("[[model]]")[1:]]
        models = "".join(part for part in each if any(f'"{model}"' in part for model in MODELS))
    names = "".join(f'[[dataset]]\nname = "{name}"\n' for name in sets)
    return f'{head}{names}{models}[[correction]]\npreset = "families"\n', len(sets)


def seconds(text):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sweep.toml").write_text(text)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run(
            [PROGRAM, "run", folder, "--jobs", "1"],
            check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ,
        )
        spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        curves = Path(folder) / "curves.parquet"
        return spent, curves.stat().st_size if curves.exists() else 0


def main():
    ask = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ask.add_argument("--points", type=int, default=10_000)
    ask.add_argument("--rounds", type=int, default=1)
    ask.add_argument("--all-models", action="store_true", help="every model of the reference sweep")
    ask = ask.parse_args()
    text, sets = sweep(ask.all_models)
    plain = curved = float("inf")
    for _ in range(ask.rounds):
        plain = min(plain, seconds(text)[0])
        spent, size = seconds(text + CURVE % ask.points)
        curved = min(curved, spent)
    print(f"{sets} datasets: {plain:.1f} s, with curves of {ask.points} taus {curved:.1f} s")
    print(f"ratio {curved / plain:.3f}; curves.parquet has {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
