"""Writes mlp.json beside it: networks before and after a few steps of scikit-learn's MLPClassifier.

    pip install -r requirements.txt && python make_networks.py

Weights are set by hand, batches hold all rows in their order, and one `partial_fit` is one step, so that
nothing is random: what differs is an error in a gradient, a penalty or a solver. Parameters stand layer by
layer, weights (inputs x outputs, row by row) then biases.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")
HERE = Path(__file__).parent


def flat(model):
    parts = zip(model.coefs_, model.intercepts_)
    return [float(v) for pair in parts for part in pair for v in part.ravel()]


def case(seed, counts, d, hidden, activation, given, weights=None, alpha=0.0, steps=6):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(counts)), counts)
    x = np.round(rng.normal(size=(len(y), d)) + np.eye(len(counts), d)[y], 3)
    weights = weights or [1.0] * len(counts)
    model = MLPClassifier(
        hidden, activation=activation, alpha=alpha, batch_size=len(y), shuffle=False, max_iter=1, **given
    )

    def run():
        model.partial_fit(x, y, classes=np.arange(len(counts)), sample_weight=np.array(weights)[y])

    run()
    # What the first call made: weights of our own in its place, and no memory of its step.
    for parts in (model.coefs_, model.intercepts_):
        for part in parts:
            part[...] = np.round(rng.uniform(-0.8, 0.8, size=part.shape), 3)
    del model._optimizer
    model.t_ = 0
    start = flat(model)
    for _ in range(steps):
        run()
    solver = {"solver": given["solver"], "momentum": 0.0, "nesterov": False}
    if given["solver"] == "sgd":
        solver.update(momentum=given["momentum"], nesterov=given["nesterovs_momentum"])
    return {
        "name": f"{given['solver']} {hidden} {activation} {len(counts)} classes, weights {weights}, alpha {alpha}",
        **solver,
        "learning_rate": given["learning_rate_init"],
        "hidden": list(hidden),
        "activation": activation,
        "alpha": alpha,
        "weights": weights,
        "x": x.tolist(),
        "y": y.tolist(),
        "steps": steps,
        "start": start,
        "end": flat(model),
    }


def main():
    adam = {"solver": "adam", "learning_rate_init": 0.05}
    sgd = {"solver": "sgd", "learning_rate_init": 0.2, "momentum": 0.9, "nesterovs_momentum": True}
    plain = {**sgd, "momentum": 0.0, "nesterovs_momentum": False}
    classical = {**sgd, "momentum": 0.7, "nesterovs_momentum": False}
    cases = [
        case(1, [9, 6], 3, (4,), "relu", adam),
        case(2, [9, 6], 3, (4,), "tanh", sgd, alpha=2.0),
        case(3, [8, 6, 5], 3, (5, 4), "relu", sgd, alpha=0.5),
        case(4, [8, 6, 5], 3, (4, 3, 3), "tanh", adam, alpha=3.0),
        case(5, [10, 4], 2, (3, 3), "tanh", plain, weights=[1.0, 4.0], alpha=1.0),
        case(6, [10, 4, 3], 4, (5,), "relu", adam, weights=[0.5, 2.0, 3.0], alpha=1.0),
        case(7, [7, 5, 4, 3], 4, (6,), "relu", classical),
    ]
    (HERE / "mlp.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


if __name__ == "__main__":
    main()
