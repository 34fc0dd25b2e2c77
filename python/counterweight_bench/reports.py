"""A report folder as a table of pandas or polars."""

import pathlib


def read(folder, table="records", library=None):
    """One table of a report folder, such as `records`, `details`, `timings`, `reliability`, `costs` or one of those in
    `tables/`.

    folder   a folder that `counterweight run` has written
    table    its name, without an ending
    library  "pandas" or "polars"; left out: pandas, or polars where pandas is not installed

    Fails with FileNotFoundError for a folder or table that is not there, and with ImportError without either library.
    A pandas table from a Parquet file needs pyarrow or fastparquet; without them the CSV file of that name is read.
    """
    folder = pathlib.Path(folder)
    if not (folder / "run.json").is_file() and not (folder / "sweep.toml").is_file():
        raise FileNotFoundError(f"{folder}: no report folder (it has no run.json)")
    if library not in (None, "pandas", "polars"):
        raise ValueError(f"library is {library!r}, and pandas or polars is due")
    places = [folder / f"{table}.parquet", folder / "tables" / f"{table}.parquet"]
    places += [place.with_suffix(".csv") for place in places]
    there = [place for place in places if place.is_file()]
    if not there:
        known = sorted({p.stem for f in (folder, folder / "tables") for p in f.glob("*.parquet")})
        raise FileNotFoundError(f"{folder}: no table {table!r}; it has {', '.join(known) or 'none'}")
    if library != "polars":
        try:
            return _pandas(there)
        except ImportError:
            if library == "pandas":
                raise
    import polars

    first = there[0]
    return polars.read_parquet(first) if first.suffix == ".parquet" else polars.read_csv(first)


def _pandas(there):
    import pandas

    for place in there:
        if place.suffix == ".csv":
            return pandas.read_csv(place)
        try:
            return pandas.read_parquet(place)
        except ImportError:
            if place is there[-1]:
                raise
