"""Writes decision_tree.json and adaboost.json beside it.

    pip install -r requirements.txt && python make_trees.py

Features have few distinct values, exact in single precision, so that bins are exact. scikit-learn
breaks ties between equal splits at random: a case is kept only where all seeds agree on every test row.
Splits into pure halves tie under entropy up to rounding, which no seed shows: no deep tree is boosted by it.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

HERE = Path(__file__).parent
SETTINGS = [
    {"criterion": "gini", "max_depth": 3},
    {"criterion": "entropy", "max_depth": 3},
    {"criterion": "gini", "max_depth": 5, "min_leaf": 8},
    {"criterion": "gini", "prune": 0.01},
    {"criterion": "entropy", "prune": 0.03},
    {"criterion": "gini", "min_decrease": 0.01},
    {"criterion": "entropy", "min_decrease": 0.02},
]
BOOSTED = [
    {"trees": 12},
    {"trees": 10, "learning_rate": 0.4},
    {"trees": 8, "max_depth": 2},
    {"trees": 8, "criterion": "entropy"},
]


def draw(seed):
    rng = np.random.default_rng(seed)
    k = 2 + seed % 3
    y = rng.choice(k, size=120, p=np.arange(k, 0, -1) / np.arange(k, 0, -1).sum())
    means = rng.normal(size=(k, 4)) * 1.2
    x = np.round(8 * (means[y] + rng.normal(size=(120, 4)))) / 8
    x_test = np.round(16 * rng.normal(size=(25, 4)) * 1.5) / 16
    return k, x, y, x_test


def keep(name, settings, seeds, states, most, fit):
    cases, tried = [], 0
    for seed in range(seeds):
        k, x, y, x_test = draw(seed)
        params = settings[seed % len(settings)]
        # scikit-learn counts the rows of a leaf without weights.
        whole = seed % 2 == 0 or "min_leaf" in params
        weights = np.ones(k) if whole else np.arange(1.0, k + 1)
        models = [fit(params, state, x, y, weights[y]) for state in range(states)]
        answers = [model.predict_proba(x_test) for model in models]
        tried += 1
        if np.ptp(answers, axis=0).max() > 1e-12 or any(map(undecided, models)):
            continue
        cases.append(
            {
                "seed": seed,
                "params": params,
                "x": x.tolist(),
                "y": y.tolist(),
                "weights": weights.tolist(),
                "x_test": x_test.tolist(),
                "p": np.round(answers[0], 15).tolist(),
            }
        )
    print(len(cases), "of", tried, "cases of", name, "have no ties that matter")
    (HERE / f"{name}.json").write_text(json.dumps(cases[:most]) + "\n")
    print({(*c["params"].items(), len(c["weights"])) for c in cases[:most]})


def undecided(model):
    """Whether a tree's vote in some leaf hangs on the last bits of two equal shares: reweighting
    makes them equal on purpose."""
    shares = [np.sort(tree.tree_.value[:, 0], axis=1) for tree in getattr(model, "estimators_", [])]
    return any((s[:, -1] - s[:, -2] < 1e-9).any() for s in shares)


def tree(params, state, x, y, w):
    return DecisionTreeClassifier(
        criterion=params["criterion"],
        max_depth=params.get("max_depth"),
        min_samples_leaf=params.get("min_leaf", 1),
        min_impurity_decrease=params.get("min_decrease", 0.0),
        ccp_alpha=params.get("prune", 0.0),
        random_state=state,
    ).fit(x, y, sample_weight=w)


def boosted(params, state, x, y, w):
    base = DecisionTreeClassifier(
        criterion=params.get("criterion", "gini"), max_depth=params.get("max_depth", 1)
    )
    return AdaBoostClassifier(
        base,
        n_estimators=params["trees"],
        learning_rate=params.get("learning_rate", 1.0),
        random_state=state,
    ).fit(x, y, sample_weight=w)


if __name__ == "__main__":
    keep("decision_tree", SETTINGS, 70, 40, 16, tree)
    keep("adaboost", BOOSTED, 120, 12, 12, boosted)
