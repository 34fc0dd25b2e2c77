"""Writes the Parquet files that other programs would write, for crates/frame/tests.

    python -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python write_goldens.py

types.parquet   every column type that a reader of tables meets, with a null in each
refused.parquet types that are neither numbers nor names
indexed.parquet a pandas frame whose row filter left an index column behind
nan.parquet     NaN and infinities as values (not as nulls) among reals
twice.parquet   two columns of one name
"""

import datetime
import decimal
import pathlib

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent


def write(name, table, **options):
    pq.write_table(table, HERE / name, compression="snappy", **options)


def integers(kind):
    low = 0 if kind.startswith("uint") else -3
    return pa.array([low, None, 2, 7], getattr(pa, kind)())


kinds = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
columns = {kind: integers(kind) for kind in kinds}
columns["uint32_large"] = pa.array([4_294_967_295, None, 0, 1], pa.uint32())
columns["float32"] = pa.array([0.5, None, -1.25, 3.0], pa.float32())
columns["float64"] = pa.array([0.1, None, -1e300, 3.0], pa.float64())
columns["bool"] = pa.array([True, None, False, True])
columns["string"] = pa.array(["b", None, " a ", ""])
columns["large_string"] = pa.array(["b", None, "a", "b"], pa.large_string())
columns["category"] = pa.array(["y", None, "x", "y"]).dictionary_encode()
columns["number_category"] = pa.array([5, None, 6, 5], pa.int64()).dictionary_encode()
columns["nothing"] = pa.nulls(4)
columns["label"] = pa.array(["no", "yes", "no", "yes"]).dictionary_encode()
write("types.parquet", pa.table(columns))

write(
    "refused.parquet",
    pa.table(
        {
            "date": pa.array([datetime.date(2020, 1, 1)] * 2),
            "time": pa.array([datetime.datetime(2020, 1, 1)] * 2, pa.timestamp("us")),
            "decimal": pa.array([decimal.Decimal("1.5")] * 2, pa.decimal128(5, 2)),
            "list": pa.array([[1], [2]]),
            "struct": pa.array([{"a": 1}, {"a": 2}]),
            "bytes": pa.array([b"a", b"b"]),
            "x": pa.array([1.0, 2.0]),
            "label": pa.array([0, 1]),
        }
    ),
)

# Rows 0, 1 and 3 remain: an index with equal steps would be stored as a range, not as a column.
frame = pd.DataFrame(
    {"x": [1.0, 2.0, 3.0, 4.0], "c": pd.Categorical(["u", "v", "u", "v"]), "label": [0, 1, 0, 1]}
)
frame[frame.x != 3.0].to_parquet(HERE / "indexed.parquet")

write(
    "nan.parquet",
    pa.table(
        {
            "x": pa.array([1.0, float("nan"), 3.0, None], pa.float64(), from_pandas=False),
            "y": pa.array([1.0, 2.0, float("-inf"), 4.0]),
            "label": pa.array([1.0, 2.0, 1.0, 2.0]),
        }
    ),
)

twice = pa.Table.from_arrays([pa.array([1, 2]), pa.array([3, 4]), pa.array([0, 1])], names=["x", "x", "label"])
write("twice.parquet", twice)
