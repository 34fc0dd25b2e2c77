"""Serves an estimator with scikit-learn's interface as a model of `kind = "command"` (docs/FOREIGN.md).

    python -m counterweight_bench.runner sklearn.linear_model:LogisticRegression '{"C": 1.0}'

The first argument names a class, or any function that makes an estimator, as MODULE:NAME; the second one its keyword
arguments as JSON. LightGBM and XGBoost are served through their scikit-learn classes. Needs numpy and the estimator's
package.
"""

import contextlib
import importlib
import inspect
import json
import os
import sys
import warnings

import numpy as np

PROTOCOL = 1
NUMBERS = np.dtype("<f8")


class Refused(Exception):
    """The combination has no meaning for this estimator."""


class Model:
    """A fitted estimator, and the classes of the sweep that it has seen."""

    def __init__(self, estimator, seen, classes):
        self.estimator, self.seen, self.classes = estimator, seen, classes

    def spread(self, columns, fill):
        """One column a class of the sweep, of one a class that the estimator knows."""
        out = np.full((len(columns), self.classes), fill, dtype=NUMBERS)
        out[:, self.seen] = columns
        return out

    def scores(self, x, kind):
        """What is written, and what it is called."""
        if self.estimator is None:
            if kind == "vote":
                return np.full(len(x), self.seen[0], dtype=NUMBERS), "vote"
            return self.spread(np.ones((len(x), 1)), 0.0), "probability"
        if kind == "vote":
            return self.seen[np.asarray(self.estimator.predict(x), dtype=np.int64)], "vote"
        # Only the estimator's own logarithm is more than that of its probabilities.
        if hasattr(self.estimator, "predict_log_proba"):
            with np.errstate(divide="ignore"):
                return self.spread(self.estimator.predict_log_proba(x), -np.inf), "log-probability"
        if hasattr(self.estimator, "predict_proba"):
            return self.spread(self.estimator.predict_proba(x), 0.0), "probability"
        raise Refused('it has no predict_proba: say scores = "vote" in the sweep file')


class Runner:
    def __init__(self, name, arguments):
        module, _, attribute = name.partition(":")
        if not attribute:
            raise SystemExit(f"{name}: expected MODULE:NAME, such as sklearn.svm:SVC")
        self.make = getattr(importlib.import_module(module), attribute)
        self.name, self.arguments, self.models = name, arguments, {}
        # Whatever is wrong with the arguments is wrong now.
        self.make(**arguments)

    def hello(self, _):
        root = sys.modules[self.name.partition(":")[0].partition(".")[0]]
        package = {"sklearn": "scikit-learn"}.get(root.__name__, root.__name__)
        answer = {"protocol": PROTOCOL, "name": self.name, "weights": self.weighs()}
        if hasattr(root, "__version__"):
            answer["version"] = f"{package} {root.__version__}"
        return answer

    def weighs(self):
        return "sample_weight" in inspect.signature(self.make(**self.arguments).fit).parameters

    def estimator(self, seed):
        estimator = self.make(**self.arguments)
        known = estimator.get_params() if hasattr(estimator, "get_params") else {}
        # Seeds of parts of a pipeline too.
        own = {key: seed for key in known if key == "random_state" or key.endswith("__random_state")}
        own = {key: seed for key, seed in own.items() if known[key] is None}
        return estimator.set_params(**own) if own else estimator

    def fit(self, asked):
        x = matrix(asked)
        y = np.fromfile(asked["y"], NUMBERS).astype(np.int64)
        weights = asked.get("weights") and np.fromfile(asked["weights"], NUMBERS)
        # Numbered from 0 without gaps, which some estimators insist on.
        seen, y = np.unique(y, return_inverse=True)
        estimator, notes = None, []
        if len(seen) > 1:
            estimator = self.estimator(asked["seed"])
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                if weights is None:
                    estimator.fit(x, y)
                else:
                    estimator.fit(x, y, sample_weight=weights)
            texts = [f"{w.category.__name__}: {str(w.message).strip()}".splitlines()[0].rstrip(": ") for w in caught]
            notes = list(dict.fromkeys(texts))
        self.models[asked["model"]] = Model(estimator, seen, asked["classes"])
        return {"notes": notes}

    def score(self, asked):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores, kind = self.models[asked["model"]].scores(matrix(asked), asked["scores"])
        np.ascontiguousarray(scores, dtype=NUMBERS).tofile(asked["into"])
        return {"scores": kind}

    def forget(self, asked):
        self.models.pop(asked["model"], None)

    def answer(self, asked):
        try:
            act = {"hello": self.hello, "fit": self.fit, "score": self.score, "forget": self.forget}[asked["op"]]
            answer = act(asked)
        except MemoryError as error:
            answer = {"error": f"MemoryError: {error}", "kind": "out-of-memory"}
        except Refused as error:
            answer = {"error": str(error), "kind": "not-applicable"}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        return None if answer is None else {"id": asked["id"], **answer}


def matrix(asked):
    return np.fromfile(asked["x"], NUMBERS).reshape(asked["rows"], asked["columns"])


def main(arguments):
    if not 1 <= len(arguments) <= 2:
        raise SystemExit(__doc__.strip())
    # What an estimator prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    runner = Runner(arguments[0], json.loads(arguments[1]) if len(arguments) > 1 else {})
    for line in sys.stdin:
        answer = runner.answer(json.loads(line))
        if answer is not None:
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main(sys.argv[1:])
