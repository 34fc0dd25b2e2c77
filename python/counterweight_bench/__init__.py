"""Counterweight from Python: `read` takes a report folder into pandas or polars, and `python -m
counterweight_bench.runner` serves estimators with scikit-learn's interface to `kind = "command"` models."""

from counterweight_bench.reports import read

__all__ = ["read"]
