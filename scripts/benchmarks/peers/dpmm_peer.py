"""One fit of dpmm's MST or AIM, run in dpmm's own environment: `python dpmm_peer.py TASK.json`, which names everything.

The task: `table` (a CSV of codes, empty for missing), `columns` (name, kind and size of each), `method` (`mst` or `aim`),
`rho` (of all of it, binning included; null for the library's own: `epsilon` for the model and 0.1 more for the bins),
`epsilon`, `delta`, `rows`, `seed`, `discrete` (columns are categories already), `iterations` (null for the library's
own), `out` (a CSV). Prints one JSON object with `fit_s`, in
seconds of one processor, and a `note`.
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd
from dpmm.models.base.mechanisms import cdp_rho
from dpmm.pipelines import AIMPipeline, MSTPipeline

BINS_EPSILON = 0.1


def main() -> None:
    task = json.loads(Path(sys.argv[1]).read_text())
    table, domain = pd.read_csv(task["table"]), {}
    for column in task["columns"]:
        name = column["name"]
        if task["discrete"]:
            domain[name] = column["size"]
        elif column["kind"] == "category":
            table[name] = table[name].map(lambda code: None if pd.isna(code) else f"c{int(code)}").astype("object")
            domain[name] = {"categories": [f"c{code}" for code in range(column["size"])]}
        else:
            table[name] = table[name].astype(float)
            domain[name] = {"lower": 0.0, "upper": float(column["size"] - 1)}
    bins = 0.0 if task["discrete"] else BINS_EPSILON
    epsilon = task["epsilon"]
    if task["rho"] is not None:
        epsilon = epsilon_of(task["rho"] - bins**2 / 2, task["delta"])
    settings = {"n_iters": task["iterations"]} if task["iterations"] else {}
    pipeline = {"mst": MSTPipeline, "aim": AIMPipeline}[task["method"]](
        epsilon=epsilon,
        delta=task["delta"],
        n_jobs=1,
        max_model_size=80 if task["method"] == "aim" else None,
        gen_kwargs=settings,
        proc_epsilon=bins or None,
        disable_processing=task["discrete"],
    )
    start_s = time.process_time()
    pipeline.fit(table, domain, random_state=task["seed"])
    made = pipeline.generate(n_records=task["rows"], random_state=task["seed"])
    fit_s = time.process_time() - start_s
    codes = pd.DataFrame(index=made.index)
    for column in task["columns"]:
        values = made[column["name"]]
        if not task["discrete"] and column["kind"] == "category":
            values = values.map(lambda text: None if pd.isna(text) else float(str(text)[1:]))
        codes[column["name"]] = pd.to_numeric(values).round().clip(0, column["size"] - 1)
    codes.to_csv(task["out"], index=False)
    print(json.dumps({"fit_s": fit_s, "note": f"model at epsilon {epsilon:.3f}"}))


def epsilon_of(rho: float, delta: float) -> float:
    """The epsilon from which dpmm's own conversion makes this rho."""
    low, high = 0.0, 1_000.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if cdp_rho(middle, delta) < rho else (low, middle)
    return low


if __name__ == "__main__":
    main()
