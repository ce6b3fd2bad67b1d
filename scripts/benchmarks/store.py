"""Speed of the directory store beside plain SHA-256 of the same bytes in the same run.

`python -m scripts.benchmarks.store [--json] [--mib 256]`. MB are 10**6 bytes, wall time; the best of three turns counts.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from marketplace.content.directory import DirectoryStore

MIB = 2**20
TURNS = 3


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    start_s = time.monotonic()
    action()
    return time.monotonic() - start_s


def measure(size_bytes: int) -> dict[str, float]:
    """MB/s of plain hashing, putting and getting `size_bytes` random bytes, and both beside plain hashing."""
    best = {"sha256": float("inf"), "put": float("inf"), "get": float("inf")}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "bytes"
        with source.open("wb") as out:
            for _ in range(size_bytes // MIB):
                out.write(os.urandom(MIB))
        for turn in range(TURNS):
            store = DirectoryStore(Path(folder) / f"store-{turn}")
            best["sha256"] = min(best["sha256"], seconds(lambda: _hash(source)))
            with source.open("rb") as file:
                start_s = time.monotonic()
                cid = store.put(file)
                best["put"] = min(best["put"], time.monotonic() - start_s)
            best["get"] = min(best["get"], seconds(lambda store=store, cid=cid: sum(map(len, store.read(cid)))))
    speeds = {f"{name}_mb_per_s": size_bytes / 1e6 / taken_s for name, taken_s in best.items()}
    ratios = {f"{name}_to_sha256": best["sha256"] / best[name] for name in ("put", "get")}
    return {"bytes": size_bytes, **speeds, **ratios}


def _hash(source: Path) -> None:
    digest = sha256()
    with source.open("rb") as file:
        while piece := file.read(MIB):
            digest.update(piece)


def main() -> None:
    parser = argparse.ArgumentParser(prog="store", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--mib", type=int, default=256, help="size of the file")
    given = parser.parse_args()
    figures = measure(given.mib * MIB)
    if given.json:
        print(json.dumps(figures))
        return
    print(f"directory store, {given.mib} MiB    MB/s   to plain sha256")
    for name in ("sha256", "put", "get"):
        ratio = figures.get(f"{name}_to_sha256", 1.0)
        print(f"{name:<24}{figures[f'{name}_mb_per_s']:>10.0f}{ratio:>12.2f}")


if __name__ == "__main__":
    main()
