"""Plants each fault of the list into a copy of the contracts, runs the tests that can notice it, and prints a table.

Fails if a fault survives, if its text is not in the contracts any more, or if it could not be tried.
"""

import argparse
import sys
import time

from scripts.faulting.fault import Fault, Outcome, Verdict
from scripts.faulting.planted import ALL
from scripts.faulting.trial import attempt_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("words", nargs="*", help="only faults whose file or sentence holds one of these")
    parser.add_argument("--list", action="store_true", help="print the faults and try none")
    parser.add_argument("--processes", type=int, default=2, help="how many are tried at once (2)")
    options = parser.parse_args()
    words: list[str] = options.words
    chosen = [fault for fault in ALL if not words or any(word in f"{fault.file} {fault.sentence}" for word in words)]
    if options.list:
        print("\n".join(f"{fault.file:<18}{fault.sentence}" for fault in chosen))
        return 0
    began = time.monotonic()
    outcomes = {}
    try:
        for fault, outcome in attempt_all(chosen, processes=options.processes):
            outcomes[fault] = outcome
            print(row(fault, outcome), flush=True)
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    caught = sum(outcome.verdict is Verdict.CAUGHT for outcome in outcomes.values())
    print(f"\n{caught} of {len(chosen)} faults caught, in {time.monotonic() - began:,.0f} s")
    return 0 if chosen and caught == len(chosen) else 1


def row(fault: Fault, outcome: Outcome) -> str:
    """A line of the table: what came of a fault, where it was, what it was, and what caught it."""
    by = outcome.words.split(", ")
    more = f" and {len(by) - 1} more" if len(by) > 1 else ""
    words = f"{by[0]}{more}" if outcome.verdict is Verdict.CAUGHT else outcome.words
    return f"{outcome.verdict.value:<9} {fault.file:<16} {fault.sentence}" + (f"\n{'':<27}{words}" if words else "")


if __name__ == "__main__":
    sys.exit(main())
