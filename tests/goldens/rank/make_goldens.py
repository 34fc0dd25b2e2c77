"""Goldens of `counterweight rank`: what scipy, statsmodels, autorank and scikit-posthocs say of one table.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_goldens.py

Writes table.csv (long) and expected.json beside this script.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import scikit_posthocs
from autorank import autorank
from scipy import stats
from statsmodels.stats.multitest import multipletests

HERE = Path(__file__).parent
METHODS = ["boost", "forest", "knn", "none", "svm"]

rng = np.random.default_rng(20)
level = rng.uniform(0.1, 0.4, size=(16, 1))
shift = np.array([-0.05, -0.045, 0.01, 0.0, -0.02])
errors = np.round(level + shift + rng.normal(0, 0.015, size=(16, 5)), 4)
wide = pd.DataFrame(errors, columns=METHODS, index=[f"set-{i:02}" for i in range(16)])

long = wide.reset_index(names="dataset").melt("dataset", var_name="method", value_name="error")
long.to_csv(HERE / "table.csv", index=False)

chi2, p = stats.friedmanchisquare(*(wide[m] for m in METHODS))
n, k = wide.shape
f = (n - 1) * chi2 / (n * (k - 1) - chi2)
pairs, raw = [], []
for i, a in enumerate(METHODS):
    for b in METHODS[i + 1:]:
        pairs.append([a, b])
        raw.append(stats.wilcoxon(wide[a], wide[b], method="exact").pvalue)
holm = multipletests(raw, method="holm")[1]
posthoc = scikit_posthocs.posthoc_wilcoxon(
    long, val_col="error", group_col="method", p_adjust="holm", method="exact", sort=True
)
ranked = autorank(wide, alpha=0.05, verbose=False, order="ascending", force_mode="nonparametric")
student = stats.t.interval(0.95, n - 1, (wide["none"] - wide["boost"]).mean(), stats.sem(wide["none"] - wide["boost"]))

expected = {
    "mean_rank": {m: float(ranked.rankdf.loc[m, "meanrank"]) for m in METHODS},
    "friedman": {"chi_squared": float(chi2), "p": float(p)},
    "autorank_friedman_p": float(ranked.pvalue),
    "iman_davenport": {"f": float(f), "p": float(stats.f.sf(f, k - 1, (k - 1) * (n - 1)))},
    "pairs": [
        {"pair": pair, "raw": float(r), "holm": float(h), "posthoc": float(posthoc.loc[pair[0], pair[1]])}
        for pair, r, h in zip(pairs, raw, holm)
    ],
    "none_less_boost": [float(student[0]), float(student[1])],
}
(HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
