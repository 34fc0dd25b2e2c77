"""The sweep that a careful user writes today: scikit-learn, imbalanced-learn and LightGBM, no fit or resampled set
made twice within a split. `table.py` runs it beside ours on the same rows.

    python sweep.py pairs FOLDER    # the splits as CSV pairs with a sweep.toml of ours
    python sweep.py run TABLE.csv   # the sweep itself, one process, one thread

16 splits (two populations of 2 classes and one of 3 at 20:1, 5 folds of wine and iris at 10:1), 6 models, 20 cells
each where a model honours them. Ours has the same cells, the same numbers (`preprocess = "none"`), and computes some
20 metrics and bounds of each where this computes 6; `tuned` is of two classes here, of any number there.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import functools
import sys
import warnings
from pathlib import Path

import numpy as np

TAUS = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0]
SETS = {"gauss2": 2, "gauss3": 3, "moons": 2}
N, D, RATIO, REAL_RATIO, FOLDS = 2000, 10, 20, 10, 5
MODELS = {
    "logistic": 'kind = "softmax-regression"',
    "tree": 'kind = "decision-tree"',
    "bayes": 'kind = "gaussian-naive-bayes"',
    "neighbours": 'kind = "k-nearest-neighbours"\nk = 5',
    "boosting": 'kind = "gradient-boosting"\nrounds = 100',
    "forest": 'kind = "random-forest"\ntrees = 100',
}
CORRECTIONS = {
    "none": "",
    "balanced": 'loss = { kind = "weighted", scheme = "inverse-frequency" }',
    "effective": 'loss = { kind = "weighted", scheme = "effective-number", beta = 0.999 }',
    "over": 'resample = { kind = "random-over" }',
    "under": 'resample = { kind = "random-under" }',
    "smote": 'resample = { kind = "smote" }',
    "borderline": 'resample = { kind = "borderline-smote" }',
    "adasyn": 'resample = { kind = "adasyn" }',
    "smote-enn": 'resample = { kind = "smote-enn" }',
    "tomek": 'resample = { kind = "tomek-links" }',
    "prior": 'decide = { kind = "prior-threshold" }',
    "tuned": 'decide = { kind = "tuned-threshold" }',
    "adjusted": f'decide = {{ kind = "logit-adjust", tau = {TAUS} }}',
    "adjusted-loss": 'loss = { kind = "logit-adjusted" }',
}


def class_sizes(n, ratio, k):
    """Sizes that fall exponentially from the first class to the last."""
    share = ratio ** (-np.arange(k) / (k - 1))
    sizes = np.floor(n * share / share.sum()).astype(int)
    sizes[0] += n - sizes.sum()
    return sizes


def drawn(name, sizes, rng):
    from sklearn.datasets import make_moons

    if name == "moons":
        seed = int(rng.integers(2**31))
        x, y = make_moons(tuple(map(int, sizes)), shuffle=False, noise=0.3, random_state=seed)
    else:
        y = np.repeat(np.arange(len(sizes)), sizes)
        x = np.eye(len(sizes), D)[y] * np.sqrt(2) + rng.standard_normal((len(y), D))
    order = rng.permutation(len(y))
    return x[order], y[order]


def real(name):
    """Rows of a table, thinned to the ratio, and its folds."""
    from sklearn import datasets
    from sklearn.model_selection import StratifiedKFold

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    sizes = np.bincount(y)
    y = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")[y]
    sizes = np.sort(sizes)[::-1]
    share = REAL_RATIO ** (-np.arange(len(sizes)) / (len(sizes) - 1))
    wanted = np.round((sizes / share).min() * share).astype(int)
    rng = np.random.default_rng([REAL_RATIO, 0])
    kept = [rng.choice(np.flatnonzero(y == c), n, replace=False) for c, n in enumerate(wanted)]
    kept = np.sort(np.concatenate(kept))
    x, y = x[kept], y[kept]
    for fold, (a, b) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(x, y)):
        yield f"{name}-{fold}", (x[a], y[a], x[b], y[b])


def splits():
    """Name, then training and test rows, standardised by the training rows; 4 decimals, which a CSV holds exactly."""
    found = []
    for at, (name, k) in enumerate(SETS.items()):
        for seed in (0, 1):
            rng = np.random.default_rng([at, RATIO, seed])
            sizes = class_sizes(N, RATIO, k)
            found.append((f"{name}-{seed}", (*drawn(name, sizes, rng), *drawn(name, sizes, rng))))
    found += [*real("wine"), *real("iris")]
    for name, (x, y, x_test, y_test) in found:
        mean, deviation = x.mean(axis=0), x.std(axis=0)
        deviation[deviation == 0] = 1.0
        scaled = [np.round((part - mean) / deviation, 4) for part in (x, x_test)]
        yield name, (scaled[0], y, scaled[1], y_test)


def pairs(folder):
    """Writes the splits as pairs of files and a sweep of ours over them."""
    folder = Path(folder)
    text = 'format = 1\nname = "timing"\nseed = 7\n\n[protocol]\ninner_folds = 5\n'
    for name, (x, y, x_test, y_test) in splits():
        for part, rows, classes in (("train", x, y), ("test", x_test, y_test)):
            lines = [",".join([f"x{j}" for j in range(rows.shape[1])] + ["y"])]
            lines += [",".join(f"{v:.4f}" for v in row) + f",c{c}" for row, c in zip(rows, classes)]
            (folder / f"{name}-{part}.csv").write_text("\n".join(lines) + "\n")
        files = f'train = "{name}-train.csv"\ntest = "{name}-test.csv"'
        text += f'\n[[dataset]]\nid = "{name}"\n{files}\ntarget = "y"\npreprocess = "none"\n'
    for model in MODELS.values():
        text += f"\n[[model]]\n{model}\n"
    for name, stages in CORRECTIONS.items():
        # A grid has ids of its own.
        text += "\n[[correction]]\n" + ("" if name == "adjusted" else f'id = "{name}"\n') + f"{stages}\n"
    (folder / "sweep.toml").write_text(text)


def cells(k):
    """Model, correction and parameter of each cell of a split with k classes."""
    for model in MODELS:
        for name in CORRECTIONS:
            weights = name in ("balanced", "effective")
            honoured = not (
                (weights and model == "neighbours")
                or (name == "tuned" and k > 2)
                or (name == "adjusted-loss" and model not in ("logistic", "boosting"))
            )
            for tau in TAUS if name == "adjusted" else [1.0]:
                if honoured:
                    yield model, name, tau


def peer(model):
    from lightgbm import LGBMClassifier
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    return {
        "logistic": lambda: LogisticRegression(max_iter=1000),
        "tree": lambda: DecisionTreeClassifier(random_state=0),
        "bayes": GaussianNB,
        "neighbours": lambda: KNeighborsClassifier(5),
        "boosting": lambda: LGBMClassifier(100, n_jobs=1, force_col_wise=True, verbose=-1),
        "forest": lambda: RandomForestClassifier(100, random_state=0, n_jobs=1),
    }[model]()


def sampler(name, smallest):
    from imblearn import combine, over_sampling, under_sampling

    k = max(1, min(5, smallest - 1))
    smote = over_sampling.SMOTE(k_neighbors=k, random_state=0)
    return {
        "over": lambda: over_sampling.RandomOverSampler(random_state=0),
        "under": lambda: under_sampling.RandomUnderSampler(random_state=0),
        "smote": lambda: smote,
        "borderline": lambda: over_sampling.BorderlineSMOTE(k_neighbors=k, random_state=0),
        "adasyn": lambda: over_sampling.ADASYN(n_neighbors=k, random_state=0),
        "smote-enn": lambda: combine.SMOTEENN(smote=smote, random_state=0),
        "tomek": under_sampling.TomekLinks,
    }.get(name, lambda: None)()


def judged(y, p, decided):
    """Balanced error, error rate, G-mean, macro F1, worst recall and AUROC."""
    from sklearn.metrics import roc_auc_score

    k = p.shape[1]
    counts = np.bincount(k * y + decided, minlength=k * k).reshape(k, k)
    hits, truth, found = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    recall = hits / truth
    area = roc_auc_score(y, p[:, 1]) if k == 2 else roc_auc_score(y, p, multi_class="ovr")
    return (
        1 - recall.mean(),
        1 - hits.sum() / len(y),
        recall.prod() ** (1 / k),
        (2 * hits / (truth + found)).mean(),
        recall.min(),
        area,
    )


def run_split(x, y, x_test, y_test):
    from sklearn.model_selection import TunedThresholdClassifierCV

    sizes = np.bincount(y)
    k, prior = len(sizes), sizes / len(y)

    @functools.lru_cache(maxsize=None)
    def resampled(name):
        made = sampler(name, sizes.min())
        return (x, y) if made is None else made.fit_resample(x, y)

    @functools.lru_cache(maxsize=None)
    def fitted(model, name):
        """Probabilities of the test rows and what is decided by them."""
        learner, given = peer(model), {}
        if name in ("balanced", "effective"):
            w = 1 / sizes if name == "balanced" else 1 / (1 - 0.999**sizes)
            given["sample_weight"] = (w * len(y) / (w * sizes).sum())[y]
        elif name == "tuned":
            learner = TunedThresholdClassifierCV(learner, scoring="balanced_accuracy", cv=5)
        elif name == "adjusted-loss":
            offset = np.log(prior)
            start = np.full(len(y), offset[1] - offset[0]) if k == 2 else np.tile(offset, (len(y), 1))
            given["init_score"] = start
        learner.fit(*resampled(name), **given)
        if name == "adjusted-loss":
            raw = learner.predict(x_test, raw_score=True)
            raw = np.column_stack([np.zeros(len(raw)), raw]) if k == 2 else raw
            p = np.exp(raw - raw.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
        else:
            p = np.zeros((len(x_test), k))
            p[:, learner.classes_] = learner.predict_proba(x_test)
        return p, learner.predict(x_test) if name == "tuned" else p.argmax(axis=1)

    for model, name, tau in cells(k):
        try:
            # With a free intercept the logit-adjusted loss is the plain one, adjusted afterwards.
            if name in ("prior", "adjusted") or (name == "adjusted-loss" and model == "logistic"):
                p = fitted(model, "none")[0]
                p = np.exp(np.log(np.clip(p, 1e-12, 1)) - tau * np.log(prior))
                p /= p.sum(axis=1, keepdims=True)
                decided = p.argmax(axis=1)
            else:
                p, decided = fitted(model, name)
            yield model, name, tau, *judged(y_test, p, decided)
        except (ValueError, RuntimeError) as error:
            yield model, name, tau, f"{type(error).__name__}: {error}".splitlines()[0]


def run(table):
    warnings.filterwarnings("ignore")
    with open(table, "w") as file:
        for split, rows in splits():
            for row in run_split(*rows):
                print(split, *row, sep=",", file=file)


if __name__ == "__main__":
    {"pairs": pairs, "run": run}[sys.argv[1]](sys.argv[2])
