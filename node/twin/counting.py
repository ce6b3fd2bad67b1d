"""What one member's node counts of its own rows for the twin of pooled records: the one module of it that sees records."""

import pyarrow as pa

from marketplace.errors import Refused
from marketplace.protocol.analysis_statistic import LARGEST_PARTY_ROWS, Opened
from marketplace.protocol.schema import Schema
from node.evaluation.codes import frame_of
from node.synthesis.records import Counts, Records
from node.twin.pooled import PooledTwin
from node.twin.rounds import CellRound, MarginalRound, ScoreRound, SketchRound


def count(twin: PooledTwin, schema: Schema, table: pa.Table, opened: Opened = ()) -> dict[str, Counts]:
    """Every statistic of the next round, flat, by its name: exact, not noisy, for the provider's own process alone.

    `table`: coded, rows within the schema's bound per person. `opened`: the sums of all rounds before. Sensitivities stand
    at each `Statistic`. Raises `Invalid`, naming the column, for a table of another schema; `Refused` for more rows than
    sums can hold.
    """
    if table.num_rows > LARGEST_PARTY_ROWS:
        raise Refused(f"expected at most {LARGEST_PARTY_ROWS} rows at a party, got more; narrow the dataset")
    records, found = Records.of_table(table, schema), twin.next_round(schema, opened)
    match found:
        case CellRound():
            counts = [records.in_cells(q.place, q.starts, q.ends, q.with_missing) for q in found.questions]
        case SketchRound(sketch=sketch):
            counts = [records.binned(sketch.columns.cells, sketch.columns.bins).in_sketch(sketch)]
        case MarginalRound(columns=columns):
            binned = records.binned(columns.cells, columns.bins)
            counts = [binned.marginal(marginal) for marginal in found.marginals]
        case ScoreRound(scoring=scoring):
            frame = frame_of(table, schema)
            return scoring.count(frame[scoring.meeting(frame)])
        case None:
            return {}
    return {one.name: counted for one, counted in zip(found.asked, counts, strict=True)}
