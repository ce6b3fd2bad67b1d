"""One fit of SDV, without privacy, run in SDV's own environment: `python sdv_peer.py TASK.json`, as `dpmm_peer.py`.

`method`: `copula`, `ctgan` or `tvae`; `iterations`: epochs, null for the library's own.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import pandas as pd
from sdv.metadata import Metadata
from sdv.single_table import CTGANSynthesizer, GaussianCopulaSynthesizer, TVAESynthesizer

warnings.filterwarnings("ignore")


def main() -> None:
    task = json.loads(Path(sys.argv[1]).read_text())
    table, kinds = pd.read_csv(task["table"]), {}
    for column in task["columns"]:
        name, is_category = column["name"], column["kind"] == "category"
        kinds[name] = {"sdtype": "categorical" if is_category else "numerical"}
        if is_category:
            table[name] = table[name].map(lambda code: None if pd.isna(code) else f"c{int(code)}").astype("object")
        else:
            table[name] = table[name].astype(float)
    metadata = Metadata.load_from_dict({"tables": {"t": {"columns": kinds}}, "relationships": []})
    epochs = {"epochs": task["iterations"]} if task["iterations"] else {}
    if task["method"] == "copula":
        synthesizer = GaussianCopulaSynthesizer(metadata)
    else:
        synthesizer = {"ctgan": CTGANSynthesizer, "tvae": TVAESynthesizer}[task["method"]](metadata, **epochs)
    start_s = time.process_time()
    synthesizer.fit({"t": table})
    made = synthesizer.sample(num_rows=task["rows"])
    made = made["t"] if isinstance(made, dict) else made
    fit_s = time.process_time() - start_s
    codes = pd.DataFrame(index=made.index)
    for column in task["columns"]:
        values = made[column["name"]]
        if column["kind"] == "category":
            values = values.map(lambda text: None if pd.isna(text) else float(str(text)[1:]))
        codes[column["name"]] = pd.to_numeric(values).round().clip(0, column["size"] - 1)
    codes.to_csv(task["out"], index=False)
    print(json.dumps({"fit_s": fit_s}))


if __name__ == "__main__":
    main()
