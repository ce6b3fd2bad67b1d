"""A review of all tables of a result: what a reviewer asks of each, and how their rows hang together under persons."""

from dataclasses import dataclass, replace

import pyarrow as pa

from marketplace.protocol import canonical
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.evaluation.links import ProviderLinks, evaluate_links
from node.evaluation.provider import FORMAT, Evaluation, Withheld, document_of
from node.evaluation.reviewing import FEWEST_ROWS, review
from node.nesting import flat_tables, main_table


@dataclass(frozen=True, repr=False)
class Further(Withheld):
    """What a reviewer asks of a further table; None where one of the three tables has fewer than 40 rows."""

    table: str
    evaluation: Evaluation | None


@dataclass(frozen=True, repr=False)
class Review(Withheld):
    """Of the main table, and where rows hang together under persons of every further one and of each strand."""

    main: Evaluation
    further: tuple[Further, ...] = ()
    links: tuple[ProviderLinks, ...] = ()

    def encode(self) -> bytes:
        """The canonical bytes, for a file that stays in the node: as `Evaluation.encode`, with what there is besides."""
        if not self.links:
            return self.main.encode()
        parts = document_of(self)
        main = parts.pop("main")
        return canonical.encode({"format": FORMAT, "audience": "provider only", **main, **parts})


def review_tables(
    training: pa.Table, holdout: pa.Table, synthetic: pa.Table, schema: Schema, specification: Specification, seed: int
) -> Review:
    """The review of a result. The three are coded tables, nested ones of a linked schema. Raises `Invalid` as `review`."""
    real, held, made = (main_table(table, schema) for table in (training, holdout, synthetic))
    main = review(real, held, made, schema, specification, seed)
    if not schema.is_linked:
        return Review(main)
    flat = [flat_tables(table, schema) for table in (training, holdout, synthetic)]
    further = []
    for place, table in enumerate(schema.tables, 1):
        real, held, made = (each[place].select(list(table.schema.names)) for each in flat)
        own = specification.workload.of_table(table.name, schema)
        wishes = replace(specification, workload=own, subgroups=None)
        enough = min(real.num_rows, held.num_rows, made.num_rows) >= FEWEST_ROWS
        further.append(Further(table.name, review(real, held, made, table.schema, wishes, seed) if enough else None))
    return Review(main, tuple(further), evaluate_links(training, synthetic, schema, seed))
