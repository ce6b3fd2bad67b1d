"""Writes marketplace/ledger/artifact.json, or with --check compares it with what the sources give."""

import argparse
import json
import sys

from scripts.compiling import artifact, lines
from scripts.compiling.sources import ROOT, collect


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/compile", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the artifact is not what the sources give"
    )
    parser.add_argument("--sizes", action="store_true", help="compile nothing; print lines and sizes of what is kept")
    options = parser.parse_args()
    check: bool = options.check
    if options.sizes:
        print(sizes())
        return 0
    text = artifact.build()
    path = artifact.PATH.relative_to(ROOT)
    if check:
        agrees = artifact.PATH.exists() and artifact.PATH.read_text() == text
        print(f"{path} agrees with the sources" if agrees else f"{path} differs from the sources; run scripts/compile")
        return 0 if agrees else 1
    artifact.PATH.parent.mkdir(parents=True, exist_ok=True)
    artifact.PATH.write_text(text)
    print(f"{path} written")
    return 0


def sizes() -> str:
    """Lines of code of the product's contracts, and the runtime code that the artifact says they have."""
    kept = json.loads(artifact.PATH.read_text())
    runtime_bytes = {name: contract["runtime_bytes"] for name, contract in kept["contracts"].items()}
    return lines.table(collect(artifact.ENTRIES.values()), runtime_bytes)


if __name__ == "__main__":
    sys.exit(main())
