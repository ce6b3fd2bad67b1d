"""Whether figures of attacks still hold for a generator whose code has changed: whether it still measures the same."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload
from node.noise.stream import NoiseStream
from node.synthesis.generators import GENERATORS, LINKED_GENERATOR, generator_of
from scripts.benchmarks.attacks_fits import EXACT, PRIVATE, coded_table, version_of
from scripts.benchmarks.attacks_persons import persons
from scripts.benchmarks.attacks_population import population

RECORDS = 500
FILE = Path(__file__).parent / "attacked.json"


def draws_of(generator: str) -> str | None:
    """A hash of what the generator of this name measures of public records by fixed keys: of all that it ever tells of them.
    None for an engine that measures nothing of its own.

    500 records of prostate and of flchain, or 500 persons of muscatine, at epsilon 1, or exactly, whatever the order in which
    stages are measured. Whole numbers are the same on every machine; a network's are so on machines of one kind.
    """
    if GENERATORS[generator].licence:
        return None
    hashed, maker = hashlib.sha256(), generator_of(generator)
    setting = EXACT if GENERATORS[generator].exact else PRIVATE[0]
    for name, schema, table in _linked() if generator == LINKED_GENERATOR else _plain():
        wishes = Specification(bytes(32), RECORDS, Workload(), 60, bytes(SEALING_KEY_BYTES), bytes(32))
        noise = NoiseStream(hashlib.sha256(name.encode()).digest(), b"draws")
        measured = maker.measure(table, schema, wishes, setting.rho_micro or 1, noise, lambda *_: None, lambda: False)
        hashed.update(_by_stage(measured.encode()))
    return hashed.hexdigest()[:24]


def _plain() -> Iterator[tuple[str, Schema, pa.Table]]:
    for name in ("prostate", "flchain"):
        people = population(name, Path())
        yield name, people.schema, coded_table(people.records.iloc[people.pool[:RECORDS]])


def _linked() -> Iterator[tuple[str, Schema, pa.Table]]:
    people = persons("muscatine")
    yield people.name, people.linked, people.nested.slice(0, RECORDS)


def _by_stage(encoded: bytes) -> bytes:
    """The measurements with their stages in the order of their names, where they are a document that names them."""
    try:
        document = json.loads(encoded)
    except ValueError:
        return encoded
    for name, part in document.items():
        if isinstance(part, list) and all(isinstance(one, dict) and "stage" in one for one in part):
            document[name] = sorted(part, key=lambda one: str(one["stage"]))
    return json.dumps(document, sort_keys=True).encode()


def note(generator: str) -> None:
    """Writes down what the generator measures now, beside the figures that are shipped now."""
    kept = {**noted(), version_of(generator): draws_of(generator)}
    FILE.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def noted() -> dict[str, str | None]:
    """What each version measured when its figures were shipped."""
    found: dict[str, str | None] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found
