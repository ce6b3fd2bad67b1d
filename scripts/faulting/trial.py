"""Tries faults: those with a known outcome from memory, the others on a few workbenches at once."""

import fcntl
import queue
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from scripts.compiling import packages
from scripts.compiling.sources import ROOT
from scripts.faulting.fault import Fault, Outcome, Verdict
from scripts.faulting.faulty import Compiler
from scripts.faulting.memory import Memory, key
from scripts.faulting.workbench import Workbench

HOME = ROOT / "build" / "faults"


def attempt_all(faults: Sequence[Fault], *, home: Path = HOME, processes: int = 2) -> Iterator[tuple[Fault, Outcome]]:
    """Each fault with what came of it, as it becomes known.

    Raises `ValueError` where a test that should notice a fault fails without one.
    """
    memory = Memory(home / "caught.json")
    unknown: dict[Fault, str] = {}
    for fault in faults:
        try:
            fault.planted()
        except ValueError as problem:
            yield fault, Outcome(Verdict.NOT_FOUND, str(problem))
            continue
        known = key(fault)
        outcome = memory.find(known)
        if outcome is None:
            unknown[fault] = known
        else:
            yield fault, outcome
    if unknown:
        home.mkdir(parents=True, exist_ok=True)
        with (home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield from _attempt(unknown, memory, home, min(processes, len(unknown)))


def _attempt(
    faults: Mapping[Fault, str], memory: Memory, home: Path, processes: int
) -> Iterator[tuple[Fault, Outcome]]:
    """Tries faults, each with the key by which its outcome is kept, on copies of the sources as they are now."""
    packages.install()
    benches: queue.Queue[tuple[Workbench, Compiler]] = queue.Queue()
    tests = sorted({name for fault in faults for name in fault.tests})
    for number in range(processes):
        bench = Workbench(home / str(number))
        bench.lay_out()
        _require_green(bench, tests)
        benches.put((bench, Compiler()))

    def one(fault: Fault) -> Outcome:
        bench, compiler = benches.get()
        try:
            return bench.attempt(fault, compiler)
        finally:
            benches.put((bench, compiler))

    with ThreadPoolExecutor(processes) as pool:
        pending = {pool.submit(one, fault): fault for fault in faults}
        for done in as_completed(pending):
            fault, outcome = pending[done], done.result()
            memory.keep(faults[fault], outcome)
            yield fault, outcome
    while not benches.empty():
        benches.get()[1].close()


def _require_green(bench: Workbench, tests: Sequence[str]) -> None:
    """All tests that are asked pass while there is no fault. Compiles them."""
    failing = bench.failures(tests)
    if failing:
        raise ValueError(f"expected all tests to pass without a fault, these fail: {', '.join(sorted(failing))}")
