"""The generators of this node, under the names by which a specification asks for them. Each is loaded when it is used."""

from dataclasses import dataclass
from importlib import import_module

from marketplace.errors import Invalid
from marketplace.protocol.specification import DEFAULT_GENERATOR
from node.synthesis.generator import Generator


@dataclass(frozen=True)
class Entry:
    """Where a generator is: its module and its class, which is made without arguments."""

    module: str
    name: str


GENERATORS = {DEFAULT_GENERATOR: Entry("node.synthesis.marginals", "PrivateMarginals")}


def generator_of(name: str) -> Generator:
    """The generator of this name. Raises `Invalid` if there is none."""
    if name not in GENERATORS:
        raise Invalid(f"expected one of the generators {', '.join(GENERATORS)}, got {name[:40]!r}")
    entry = GENERATORS[name]
    made: Generator = getattr(import_module(entry.module), entry.name)()
    return made
