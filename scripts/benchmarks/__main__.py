"""`scripts/bench`: every benchmark, or those that are named, one after the other, as tables or as one JSON object."""

import json
import subprocess
import sys
from itertools import takewhile

NAMES = {
    "gas": "gas of each step of an order, beside comparable projects",
    "job": "seconds of each part of the main job on the demo's data",
    "audit": "audit of 1,000 orders",
    "store": "content store, beside plain SHA-256",
    "sealing": "sealing, beside its bare hash calls, and the cost of a proof on the ledger",
    "generate": "the generator on public data, between floor and ceiling",
    "longitudinal": "private visits on public data, between floor and ceiling",
    "prediction": "how well quality is predicted before an order, on public tables (20 minutes at first)",
    "attacks": "attacks on the generator on public data, and an audit of it (--minutes M; resumable)",
    "mpc": "joint analyses: sums beside stock MPyC, the pooled twin, more parties, latency (40 minutes; resumable)",
    "synthesis": "the generator beside its peers, and how it grows (40 minutes; --full for all)",
}


def run(name: str, options: list[str], kept: bool) -> str:
    """Runs one benchmark, whose lines are printed as they come, or `kept` until its end and answered. Ends the program if it
    fails."""
    command = [sys.executable, "-u", "-m", f"scripts.benchmarks.{name}", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE if kept else None, text=True, check=False)
    if done.returncode:
        sys.exit(f"expected the benchmark {name} to end well, it ended with {done.returncode}")
    return done.stdout or ""


def main() -> None:
    given = sys.argv[1:]
    names = list(takewhile(NAMES.__contains__, given))
    options = given[len(names) :]
    if {"-h", "--help"} & set(options) and not names:
        print(__doc__ + "".join(f"\n  {name:<10}{words}" for name, words in NAMES.items()))
        return
    if options not in ([], ["--json"]) and len(names) != 1:
        sys.exit(f"expected names among {', '.join(NAMES)}, and options of a benchmark behind its name alone")
    if "--json" in options:
        print(json.dumps({name: json.loads(run(name, options, kept=True)) for name in names or NAMES}, indent=2))
        return
    for name in names or NAMES:
        print(f"\n## {NAMES[name]}\n", flush=True)
        run(name, options, kept=False)


if __name__ == "__main__":
    main()
