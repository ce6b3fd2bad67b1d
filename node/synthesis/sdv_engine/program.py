"""What runs beside the node where SDV is installed: one request on standard input, one answer on standard output.

It needs nothing but SDV and what SDV installs. A request to fit holds the columns, the method, a seed and codes, -1 for
missing; the answer is the fitted model. A request to draw holds the model, a seed and a number of rows; the answer is codes.
"""

import base64
import contextlib
import json
import os
import pickle
import random
import sys
import warnings
from collections.abc import Mapping
from typing import Any

MISSING = -1


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one request."""
    _seed(int(request["seed"]))
    if request["verb"] == "fit":
        return {"model": base64.b64encode(_fitted(request)).decode()}
    return {"codes": _drawn(request)}


def _fitted(request: Mapping[str, Any]) -> bytes:
    import pandas as pd
    from sdv.metadata import Metadata
    from sdv.single_table import CTGANSynthesizer, GaussianCopulaSynthesizer, TVAESynthesizer

    kinds, table = {}, {}
    for column in request["columns"]:
        codes = pd.Series(request["codes"][column["name"]], dtype="int64")
        is_category = column["kind"] == "category"
        kinds[column["name"]] = {"sdtype": "categorical" if is_category else "numerical"}
        values = codes.map(lambda code: f"c{code}").astype("object") if is_category else codes.astype(float)
        table[column["name"]] = values.mask(codes == MISSING, None)
    metadata = Metadata.load_from_dict({"tables": {"t": {"columns": kinds}}, "relationships": []})
    methods = {"copula": GaussianCopulaSynthesizer, "ctgan": CTGANSynthesizer, "tvae": TVAESynthesizer}
    epochs = {} if request["epochs"] is None else {"epochs": request["epochs"]}
    synthesizer = methods[request["method"]](metadata, **epochs)
    synthesizer.fit({"t": pd.DataFrame(table)})
    return pickle.dumps((request["columns"], synthesizer))


def _drawn(request: Mapping[str, Any]) -> dict[str, list[int]]:
    import pandas as pd

    columns, synthesizer = pickle.loads(base64.b64decode(request["model"]))  # noqa: S301
    _seed(int(request["seed"]))
    made, codes = synthesizer.sample(num_rows=request["rows"])["t"], {}
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


def main() -> None:
    """Answers the request on standard input; whatever the library prints does not get into the answer."""
    warnings.filterwarnings("ignore")
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with contextlib.redirect_stdout(sys.stderr):
        answered = answer(json.load(sys.stdin))
    json.dump(answered, out)
    out.close()


if __name__ == "__main__":
    main()
