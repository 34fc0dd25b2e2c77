"""Balanced error of our ensembles beside imbalanced-learn's on real sets, from the repository's root:

    pip install numpy pandas pyarrow scikit-learn imbalanced-learn lightgbm
    cargo build --release -p counterweight-corrections --example ensembles
    python tests/peers/ensembles.py [DATASET ..]

The same numbers of members, the same bases (fully grown trees, stumps where it boosts), plain argmax
decisions, stratified 5-fold cross-validation, at most 4000 rows a set; sets are prepared as in quality.py.
Prints each set's balanced errors, and the mean over sets of ours minus theirs with its standard error
over sets. Exits with 1 when one of ours is worse by more than .01.
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
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import OneHotEncoder

sys.path.insert(0, str(Path(__file__).parent))
from quality import load, write  # noqa: E402

warnings.filterwarnings("ignore")
BINARY = Path("target/release/examples/ensembles")
WORSE = 0.01
SETS = """abalone balance_scale car cleveland cmc ecoli german_credit glass kc1 new_thyroid
    page_blocks phoneme pima_missing satimage segment vehicle vowel wine_red wine_white yeast""".split()
STUMP = ["decision-tree", "max_depth=1"]
PAIRS = {
    "balanced-random-forest": (
        ["balanced-random-forest", "trees=100", "random-forest"],
        lambda seed: BalancedRandomForestClassifier(
            n_estimators=100, sampling_strategy="all", replacement=True, bootstrap=False, random_state=seed
        ),
    ),
    "easy-ensemble": (
        ["easy-ensemble", "members=10", "rounds=50", *STUMP],
        lambda seed: EasyEnsembleClassifier(n_estimators=10, random_state=seed),
    ),
    "rusboost": (
        ["rusboost", "rounds=50", *STUMP],
        lambda seed: RUSBoostClassifier(n_estimators=50, random_state=seed),
    ),
    "under-bagging": (
        ["under-bagging", "members=10", "decision-tree"],
        lambda seed: BalancedBaggingClassifier(n_estimators=10, random_state=seed),
    ),
}


def ours(folder, words, n_classes):
    out = folder / "scores"
    subprocess.run([BINARY, folder / "task", out, "1", *words], check=True, capture_output=True)
    return np.fromfile(out, "<f8").reshape(-1, n_classes)


def compare(names):
    index = {e["name"]: e for e in json.loads(Path("datasets/index.json").read_text())["datasets"]}
    rows = []
    print("set " + " ".join(f"{name} theirs" for name in PAIRS))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name in names:
            frame, y = load(index[name], np.random.default_rng(0))
            numeric = frame.select_dtypes("number").columns
            nominal = frame.columns.difference(numeric)
            frame[nominal] = frame[nominal].astype(object).where(frame[nominal].notna(), "missing")
            errors = {}
            for a, b in StratifiedKFold(5, shuffle=True, random_state=1).split(frame, y):
                encode = make_column_transformer(
                    (SimpleImputer(strategy="median"), numeric),
                    (OneHotEncoder(handle_unknown="ignore", sparse_output=False), nominal),
                )
                x = np.asarray(encode.fit_transform(frame.iloc[a]), float)
                x_test = np.asarray(encode.transform(frame.iloc[b]), float)
                write(folder / "task", x, y[a], x_test, y.max() + 1)
                for method, (words, peer) in PAIRS.items():
                    found = ours(folder, words, y.max() + 1).argmax(1)
                    errors.setdefault(method, []).append(1 - balanced_accuracy_score(y[b], found))
                    try:
                        found = peer(1).fit(x, y[a]).predict(x_test)
                        theirs = 1 - balanced_accuracy_score(y[b], found)
                    except ValueError:
                        # A boosted base that is no better than chance ends their fit; the set is then
                        # left out for this method.
                        theirs = np.nan
                    errors.setdefault(f"{method} theirs", []).append(theirs)
            rows.append({"set": name, **{m: np.mean(e) for m, e in errors.items()}})
            print(" ".join(f"{v:.4f}" if m != "set" else f"{v:14}" for m, v in rows[-1].items()), flush=True)
    table = pd.DataFrame(rows).set_index("set")
    worse = False
    for method in PAIRS:
        gap = (table[method] - table[f"{method} theirs"]).dropna()
        error = gap.std(ddof=1) / len(gap) ** 0.5
        verdict = "worse" if gap.mean() > WORSE else "holds"
        worse |= verdict == "worse"
        print(f"{method} minus imbalanced-learn: {gap.mean():+.4f} +- {error:.4f} over {len(gap)} sets, {verdict}")
    return int(worse)


if __name__ == "__main__":
    sys.exit(compare(sys.argv[1:] or SETS))
