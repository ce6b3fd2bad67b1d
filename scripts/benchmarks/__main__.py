"""`scripts/bench`: every benchmark, or those that are named, one after the other, as tables or as one JSON object."""

import argparse
import json
import subprocess
import sys

NAMES = {
    "gas": "gas of each step of an order, beside comparable projects",
    "job": "seconds of each part of the main job on the demo's data",
    "audit": "audit of 1,000 orders",
    "store": "content store, beside plain SHA-256",
    "sealing": "sealing, beside its bare hash calls, and the cost of a proof on the ledger",
    "generate": "the generator on public data, between floor and ceiling",
}


def run(name: str, as_json: bool) -> str:
    """What one benchmark prints. Ends the program if it fails."""
    command = [sys.executable, "-m", f"scripts.benchmarks.{name}", *(["--json"] if as_json else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"expected the benchmark {name} to end well, it ended with {done.returncode}")
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], help=f"which: {', '.join(NAMES)}; all by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    names = given.names or list(NAMES)
    if given.json:
        print(json.dumps({name: json.loads(run(name, as_json=True)) for name in names}, indent=2))
        return
    for name in names:
        print(f"\n## {NAMES[name]}\n", flush=True)
        print(run(name, as_json=False), flush=True)


if __name__ == "__main__":
    main()
