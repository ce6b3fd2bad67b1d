"""The generators of this node, under the names by which a specification asks for them. Each is loaded when it is used."""

from dataclasses import dataclass
from importlib import import_module

from marketplace.errors import Invalid
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import DEFAULT_GENERATOR, LINKED_GENERATOR, standing_in
from node.synthesis.generator import Generator


@dataclass(frozen=True)
class Entry:
    """Where a generator is: its module and its class, which is made without arguments.

    `words`: what it does, for the report. `linked`: whether it makes rows that hang together under persons, and no others.
    `exact`: whether it promises no differential privacy, so that only an offer that
    promises none either may use it. `licence`: that of its library, where what it makes may not be sold without one; empty
    for none.
    """

    module: str
    name: str
    words: str
    linked: bool = False
    exact: bool = False
    licence: str = ""


GENERATORS = {
    DEFAULT_GENERATOR: Entry(
        "node.synthesis.marginals",
        "PrivateMarginals",
        "noisy low-dimensional counts and a graphical model fitted to them",
    ),
    LINKED_GENERATOR: Entry(
        "node.synthesis.visits",
        "PrivateVisits",
        "noisy low-dimensional counts of persons and of how their rows follow each other, and models fitted to them",
        linked=True,
    ),
    "neural": Entry(
        "node.synthesis.neural.neural",
        "PrivateNeural",
        "noisy counts of every column and a network trained with noisy gradients",
    ),
    "neural-exact": Entry(
        "node.synthesis.neural.neural",
        "ExactNeural",
        "a network fitted to the records as they are, without noise",
        exact=True,
    ),
    **{
        f"sdv-{method.lower()}": Entry(
            "node.synthesis.sdv_engine.engine",
            f"Sdv{method}",
            f"SDV's {method} synthesizer fitted to the records as they are, without noise; SDV is under BUSL-1.1",
            exact=True,
            licence="BUSL-1.1",
        )
        for method in ("Copula", "Ctgan", "Tvae")
    },
    **{
        f"sdv-{method.lower()}": Entry(
            "node.synthesis.sdv_engine.linked",
            f"Sdv{method}",
            f"SDV's {method.upper()} synthesizer fitted to persons and their rows as they are, without noise; SDV is under "
            "BUSL-1.1",
            linked=True,
            exact=True,
            licence="BUSL-1.1",
        )
        for method in ("Par", "Hma")
    },
}


def generator_of(name: str) -> Generator:
    """The generator of this name. Raises `Invalid` if there is none."""
    if name not in GENERATORS:
        raise Invalid(f"expected one of the generators {', '.join(GENERATORS)}, got {name[:40]!r}")
    entry = GENERATORS[name]
    made: Generator = getattr(import_module(entry.module), entry.name)()
    return made


def serving(asked: str, schema: Schema) -> str:
    """The name of the generator that makes what was asked of records of `schema`.

    Where rows hang together under persons, the linked generator stands in the default one's place; `Invalid` where one is
    asked for that would make rows without their persons, or persons where there are none.
    """
    name = standing_in(asked, schema)
    if name in GENERATORS and GENERATORS[name].linked != schema.is_linked:
        served = ", ".join(each for each, entry in GENERATORS.items() if entry.linked == schema.is_linked)
        records = (
            "rows that hang together under persons" if schema.is_linked else "rows of one table without a timeline"
        )
        raise Invalid(f"expected one of {served} for {records}, got {asked[:40]!r}; ask for one of them")
    return name
