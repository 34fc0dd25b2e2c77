"""Balanced error of our tree learners beside LightGBM's and scikit-learn's on real sets, from the
repository's root:

    pip install numpy pandas pyarrow scikit-learn lightgbm
    cargo build --release -p counterweight-models --example peers
    python tests/peers/quality.py [DATASET ..]

Plain argmax decisions, stratified 5-fold cross-validation (folds given by a seed), at most 4000 rows a
set. Numbers are imputed by the median, nominal columns one-hot encoded, on the training rows. Prints
each set's balanced errors, and the mean over sets of ours minus theirs with its standard error over
sets.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

warnings.filterwarnings("ignore")
BINARY = Path("target/release/examples/peers")
SETS = """abalone balance_scale car cleveland cmc ecoli german_credit glass kc1 magic
    new_thyroid optdigits page_blocks phoneme pima_missing satimage segment vehicle
    vowel wine_red wine_white yeast""".split()
OURS = ["gradient-boosting", "random-forest", "extra-trees", "decision-tree", "adaboost"]


def theirs(seed=0):
    return {
        "lightgbm": LGBMClassifier(n_jobs=1, verbose=-1, random_state=seed),
        "histgb": HistGradientBoostingClassifier(early_stopping=False, random_state=seed),
        "forest": RandomForestClassifier(n_jobs=1, random_state=seed),
        "extra": ExtraTreesClassifier(n_jobs=1, random_state=seed),
        "tree": DecisionTreeClassifier(random_state=seed),
        "adaboost": AdaBoostClassifier(random_state=seed),
    }


PAIRS = {
    "gradient-boosting": ["lightgbm", "histgb"],
    "random-forest": ["forest"],
    "extra-trees": ["extra"],
    "decision-tree": ["tree"],
    "adaboost (ours)": ["adaboost"],
}


def write(path, x, y, x_test, n_classes):
    shape = np.array([len(x), len(x_test), x.shape[1], n_classes], dtype="<u8")
    parts = [shape, x.astype("<f8"), y.astype("<u4"), x_test.astype("<f8")]
    path.write_bytes(b"".join(np.ascontiguousarray(p).tobytes() for p in parts))


def ours(folder, learner, n_classes):
    out = folder / "scores"
    subprocess.run([BINARY, folder / "task", out, "1", learner], check=True, capture_output=True)
    return np.fromfile(out, "<f8").reshape(-1, n_classes)


def load(entry, rng):
    frame = pd.read_parquet(Path("datasets") / entry["file"])
    frame = frame.iloc[np.sort(rng.permutation(len(frame))[:4000])]
    y = frame.pop(entry["target"]).astype(str)
    # A class in fewer rows than folds is missing from some of them.
    kept = (y.map(y.value_counts()) >= 5).to_numpy()
    return frame[kept].copy(), np.unique(y[kept], return_inverse=True)[1]


def quality(names):
    index = {e["name"]: e for e in json.loads(Path("datasets/index.json").read_text())["datasets"]}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name in names:
            frame, y = load(index[name], np.random.default_rng(0))
            k = y.max() + 1
            numeric = frame.select_dtypes("number").columns
            nominal = frame.columns.difference(numeric)
            frame[nominal] = frame[nominal].astype(object).where(frame[nominal].notna(), "missing")
            errors = {}
            for a, b in StratifiedKFold(5, shuffle=True, random_state=1).split(frame, y):
                encode = make_column_transformer(
                    (SimpleImputer(strategy="median"), numeric),
                    (make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=False)), nominal),
                )
                x, x_test = encode.fit_transform(frame.iloc[a]), encode.transform(frame.iloc[b])
                x, x_test = np.asarray(x, float), np.asarray(x_test, float)
                write(folder / "task", x, y[a], x_test, k)
                for learner in OURS:
                    scores = ours(folder, learner, k)
                    hit = balanced_accuracy_score(y[b], scores.argmax(1))
                    name_of = learner if learner != "adaboost" else "adaboost (ours)"
                    errors.setdefault(name_of, []).append(1 - hit)
                for peer, model in theirs().items():
                    hit = balanced_accuracy_score(y[b], model.fit(x, y[a]).predict(x_test))
                    errors.setdefault(peer, []).append(1 - hit)
            rows.append({"set": name, **{m: np.mean(e) for m, e in errors.items()}})
            print(" ".join(f"{v:.4f}" if m != "set" else f"{v:14}" for m, v in rows[-1].items()), flush=True)
    table = pd.DataFrame(rows).set_index("set")
    print("mean", table.mean().round(4).to_dict())
    for learner, peers in PAIRS.items():
        for peer in peers:
            gap = table[learner] - table[peer]
            error = gap.std(ddof=1) / len(gap) ** 0.5
            print(f"{learner} minus {peer}: {gap.mean():+.4f} +- {error:.4f} over {len(gap)} sets")


if __name__ == "__main__":
    quality(sys.argv[1:] or SETS)
