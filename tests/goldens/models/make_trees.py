"""Writes decision_tree.json beside it.

    pip install -r requirements.txt && python make_trees.py

Features have few distinct values, exact in single precision, so that bins are exact. scikit-learn
breaks ties between equal splits at random: a case is kept only where 40 seeds agree on every test row.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.tree import DecisionTreeClassifier

HERE = Path(__file__).parent
SETTINGS = [
    {"criterion": "gini", "max_depth": 3},
    {"criterion": "entropy", "max_depth": 3},
    {"criterion": "gini", "max_depth": 5, "min_leaf": 8},
    {"criterion": "gini", "prune": 0.01},
    {"criterion": "entropy", "prune": 0.03},
]


def main():
    cases, tried = [], 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        k = 2 + seed % 3
        y = rng.choice(k, size=120, p=np.arange(k, 0, -1) / np.arange(k, 0, -1).sum())
        means = rng.normal(size=(k, 4)) * 1.2
        x = np.round(8 * (means[y] + rng.normal(size=(120, 4)))) / 8
        x_test = np.round(16 * rng.normal(size=(25, 4)) * 1.5) / 16
        params = SETTINGS[seed % len(SETTINGS)]
        # scikit-learn counts the rows of a leaf without weights.
        whole = seed % 2 == 0 or "min_leaf" in params
        weights = np.ones(k) if whole else np.arange(1.0, k + 1)
        answers = []
        for state in range(40):
            tree = DecisionTreeClassifier(
                criterion=params["criterion"],
                max_depth=params.get("max_depth"),
                min_samples_leaf=params.get("min_leaf", 1),
                ccp_alpha=params.get("prune", 0.0),
                random_state=state,
            )
            answers.append(tree.fit(x, y, sample_weight=weights[y]).predict_proba(x_test))
        tried += 1
        if np.ptp(answers, axis=0).max() > 1e-12:
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
    print(len(cases), "of", tried, "cases have no ties that matter")
    (HERE / "decision_tree.json").write_text(json.dumps(cases[:14]) + "\n")
    print({(c["params"]["criterion"], *list(c["params"])[1:], len(c["weights"])) for c in cases[:14]})


if __name__ == "__main__":
    main()
