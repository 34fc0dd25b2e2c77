"""Balanced error of `mlp` against scikit-learn's MLPClassifier on the same rows, from the repository's root:

    pip install numpy pandas pyarrow scikit-learn
    cargo build --release -p counterweight
    python tests/peers/mlp.py [SEEDS] [KEY=VALUE ..]

Twenty real sets of datasets/, at most 2000 rows each, stratified 5-fold cross-validation. Numbers are
imputed by the median and standardised, nominal columns one-hot encoded, on the training rows; both sides
get these very numbers (`preprocess = "none"`), decide by the argmax and have their defaults. Each fit is
repeated under SEEDS seeds (default 2). Prints a line a set, then the mean over sets of ours minus theirs
with its standard error over sets, and seconds of a fit. KEY=VALUE changes a parameter of ours.
"""

import os

for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[v] = "1"

import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.filterwarnings("ignore")
BINARY = Path("target/release/counterweight").resolve()
SETS = """abalone balance_scale car cleveland cmc ecoli german_credit glass haberman kc1 new_thyroid
    page_blocks pc1 phoneme pima_missing segment vehicle vowel wine_red yeast""".split()
FOLDS = 5


def load(entry):
    frame = pd.read_parquet(Path("datasets") / entry["file"])
    rng = np.random.default_rng(0)
    frame = frame.iloc[np.sort(rng.permutation(len(frame))[:2000])]
    y = frame.pop(entry["target"]).astype(str)
    # A class in fewer rows than folds is missing from some of them.
    kept = (y.map(y.value_counts()) >= FOLDS).to_numpy()
    return frame[kept].copy(), np.unique(y[kept], return_inverse=True)[1]


def folds(entry):
    frame, y = load(entry)
    numeric = frame.select_dtypes("number").columns
    nominal = frame.columns.difference(numeric)
    frame[nominal] = frame[nominal].astype(object).where(frame[nominal].notna(), "missing")
    for a, b in StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(frame, y):
        encode = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), nominal),
        )
        x, x_test = encode.fit_transform(frame.iloc[a]), encode.transform(frame.iloc[b])
        yield np.asarray(x, float), y[a], np.asarray(x_test, float), y[b]


def main():
    arguments = sys.argv[1:]
    seeds = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 2
    given = "".join(f"{pair.replace('=', ' = ', 1)}\n" for pair in arguments)
    index = {e["name"]: e for e in json.loads(Path("datasets/index.json").read_text())["datasets"]}
    theirs, seconds = {}, 0.0
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        sweep = f'format = 1\n[protocol]\nrepeats = {seeds}\n[[model]]\nkind = "mlp"\n{given}[[correction]]\nid = "none"\n'
        for name in SETS:
            for fold, (x, y, x_test, y_test) in enumerate(folds(index[name])):
                for part, rows, labels in (("train", x, y), ("test", x_test, y_test)):
                    table = pd.DataFrame(rows, columns=[f"x{j}" for j in range(rows.shape[1])])
                    table.assign(y=labels).to_csv(folder / f"{name}.{fold}.{part}.csv", index=False)
                sweep += (
                    f'[[dataset]]\nid = "{name}.{fold}"\ntrain = "{name}.{fold}.train.csv"\n'
                    f'test = "{name}.{fold}.test.csv"\ntarget = "y"\npreprocess = "none"\n'
                )
                for seed in range(seeds):
                    started = time.process_time()
                    model = MLPClassifier(random_state=seed).fit(x, y)
                    seconds += time.process_time() - started
                    hit = balanced_accuracy_score(y_test, model.predict(x_test))
                    theirs.setdefault(name, []).append(1 - hit)
        (folder / "sweep.toml").write_text(sweep)
        subprocess.run([BINARY, "run", folder, "--no-report", "--quiet", "--jobs", "1"], check=True)
        records = pd.read_csv(folder / "records.csv")
        fit = pd.read_parquet(folder / "timings.parquet")["fit_seconds"]
    assert set(records.outcome) == {"ok"} and len(records) == len(SETS) * FOLDS * seeds
    ours = records.groupby(records.dataset.str.rsplit(pat=".", n=1).str[0]).balanced_error.mean()
    print(f"{'set':<15} {'ours':>7} {'theirs':>7} {'gap':>8}")
    table = pd.DataFrame({"ours": ours, "theirs": {k: np.mean(v) for k, v in theirs.items()}})
    gap = table.ours - table.theirs
    for name, row in table.iterrows():
        print(f"{name:<15} {row.ours:7.4f} {row.theirs:7.4f} {gap[name]:+8.4f}")
    error = gap.std(ddof=1) / len(gap) ** 0.5
    print(f"mean            {table.ours.mean():.4f} {table.theirs.mean():.4f}")
    print(f"ours minus theirs: {gap.mean():+.4f} +- {error:.4f} over {len(gap)} sets")
    n = len(SETS) * FOLDS * seeds
    print(f"seconds of a fit: ours {fit.sum() / n:.3f} (wall clock), theirs {seconds / n:.3f} (CPU)")


if __name__ == "__main__":
    main()
