"""What runs beside the node where SDV is installed: one request on standard input, one answer on standard output.

It needs nothing but SDV and what SDV installs. A request to fit holds the columns, the method, a seed and codes, -1 for
missing; the answer is the fitted model. A request to draw holds the model, a seed and a number of rows; the answer is codes.
Where it fits rows under persons, a request holds for each strand of rows how many each person has, and so does the answer.
"""

import base64
import contextlib
import json
import os
import pickle
import random
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

MISSING = -1
LOOK_EVERY_S = 0.5
KEY, PERSONS = "agora:person", "agora:persons"


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one request."""
    _seed(int(request["seed"]))
    if request["verb"] == "fit":
        fit = _fitted_persons if "strands" in request else _fitted
        return {"model": base64.b64encode(fit(request)).decode()}
    asked, synthesizer = pickle.loads(base64.b64decode(request["model"]))  # noqa: S301
    _seed(int(request["seed"]))
    if isinstance(asked, dict):
        return _drawn_persons(asked, synthesizer, request["rows"])
    return {"codes": _codes(synthesizer.sample(num_rows=request["rows"])["t"], asked)}


def _fitted(request: Mapping[str, Any]) -> bytes:
    from sdv.metadata import Metadata
    from sdv.single_table import CTGANSynthesizer, GaussianCopulaSynthesizer, TVAESynthesizer

    kinds, table = _table(request)
    metadata = Metadata.load_from_dict({"tables": {"t": {"columns": kinds}}, "relationships": []})
    methods = {"copula": GaussianCopulaSynthesizer, "ctgan": CTGANSynthesizer, "tvae": TVAESynthesizer}
    epochs = {} if request["epochs"] is None else {"epochs": request["epochs"]}
    synthesizer = methods[request["method"]](metadata, **epochs)
    synthesizer.fit({"t": table})
    return pickle.dumps((request["columns"], synthesizer))


def _fitted_persons(request: Mapping[str, Any]) -> bytes:
    from sdv.metadata import Metadata

    kinds, persons = _table(request)
    key = {KEY: {"sdtype": "id"}}
    persons[KEY] = range(request["persons"])
    asked = {"columns": request["columns"], "strands": [{**each, "codes": None} for each in request["strands"]]}
    rows = {}
    for strand in request["strands"]:
        its_kinds, its_rows = _table(strand)
        its_rows[KEY] = persons[KEY].repeat(strand["counts"]).to_numpy()
        rows[strand["name"]] = (its_kinds, its_rows)
    if request["method"] == "par":
        from sdv.sequential import PARSynthesizer

        ((its_kinds, its_rows),) = rows.values()
        told = {"columns": {**key, **kinds, **its_kinds}, "sequence_key": KEY, "sequence_index": strand["time"]}
        metadata = Metadata.load_from_dict({"tables": {"t": told}, "relationships": []})
        epochs = {} if request["epochs"] is None else {"epochs": request["epochs"]}
        synthesizer = PARSynthesizer(metadata, context_columns=list(kinds), cuda=False, **epochs)
        synthesizer.fit({"t": its_rows.merge(persons, on=KEY)})
    else:
        from sdv.multi_table import HMASynthesizer

        tables = {PERSONS: {"columns": {**key, **kinds}, "primary_key": KEY}}
        tables |= {name: {"columns": {**key, **its_kinds}} for name, (its_kinds, _) in rows.items()}
        links = [
            {
                "parent_table_name": PERSONS,
                "parent_primary_key": KEY,
                "child_table_name": name,
                "child_foreign_key": KEY,
            }
            for name in rows
        ]
        synthesizer = HMASynthesizer(Metadata.load_from_dict({"tables": tables, "relationships": links}), verbose=False)
        synthesizer.fit({PERSONS: persons, **{name: its_rows for name, (_, its_rows) in rows.items()}})
    return pickle.dumps((asked, synthesizer))


def _drawn_persons(asked: Mapping[str, Any], synthesizer: Any, count: int) -> dict[str, Any]:
    if hasattr(synthesizer, "sample_sequences"):
        made = synthesizer.sample_sequences(num_sequences=count)["t"]
        persons = made.drop_duplicates(KEY)
        rows = {strand["name"]: made for strand in asked["strands"]}
    else:
        rows = synthesizer.sample(num_rows=count, main_table_name=PERSONS)
        persons = rows.pop(PERSONS)
    place, strands = {each: index for index, each in enumerate(persons[KEY])}, []
    for strand in asked["strands"]:
        found = rows[strand["name"]]
        owner = found[KEY].map(place)
        found = found[owner.notna()].iloc[owner.dropna().argsort(kind="stable")]
        counts = owner.value_counts().reindex(range(len(place)), fill_value=0)
        strands.append({"codes": _codes(found, strand["columns"]), "counts": counts.tolist()})
    return {"persons": len(place), "codes": _codes(persons, asked["columns"]), "strands": strands}


def _table(request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """What SDV is told of the columns of a request, and their values."""
    import pandas as pd

    kinds, table = {}, {}
    for column in request["columns"]:
        codes = pd.Series(request["codes"][column["name"]], dtype="int64")
        is_category = column["kind"] == "category"
        kinds[column["name"]] = {"sdtype": "categorical" if is_category else "numerical"}
        values = codes.map(lambda code: f"c{code}").astype("object") if is_category else codes.astype(float)
        table[column["name"]] = values.mask(codes == MISSING, None)
    return kinds, pd.DataFrame(table)


def _codes(made: Any, columns: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    """The codes of what SDV made, cut to the columns' grids."""
    import pandas as pd

    codes = {}
    for column in columns:
        values = made[column["name"]]
        if column["kind"] == "category":
            values = values.map(lambda text: None if pd.isna(text) else str(text)[1:])
        numbers = pd.to_numeric(values).astype(float).round().clip(0, column["size"] - 1)
        codes[column["name"]] = numbers.fillna(MISSING).astype("int64").tolist()
    return codes


def _seed(seed: int) -> None:
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    torch.set_num_threads(1)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os._exit(1)


def main() -> None:
    """Answers the request on standard input; whatever the library prints does not get into the answer.

    Ends when the process that asks, whose number is the argument, has ended: no records outlive it here.
    """
    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    warnings.filterwarnings("ignore")
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with contextlib.redirect_stdout(sys.stderr):
        answered = answer(json.load(sys.stdin))
    json.dump(answered, out)
    out.close()


if __name__ == "__main__":
    main()
