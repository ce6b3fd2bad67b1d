"""Fails, and says which, where Slither finds something above informational that docs/contract-review.md does not answer,
or where the page answers what Slither no longer finds."""

import argparse
import sys

from scripts.reviewing import page, slither


def main() -> int:
    argparse.ArgumentParser(prog="scripts/slither", description=__doc__).parse_args()
    found = slither.product()
    problems = page.judge(found, page.answers(page.PATH.read_text()))
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{len(found)} findings above informational, each answered in {page.PATH.name}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
