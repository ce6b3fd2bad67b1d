"""Writes marketplace/ledger/artifact.json, or with --check compares it with what the sources give."""

import argparse
import sys

from scripts.compiling import artifact
from scripts.compiling.sources import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/compile", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the artifact is not what the sources give"
    )
    check: bool = parser.parse_args().check
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


if __name__ == "__main__":
    sys.exit(main())
