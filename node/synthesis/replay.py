"""Cells out of what was measured, in place of records."""

from collections.abc import Sequence

from marketplace.errors import Corrupt
from marketplace.protocol.schema import Schema
from node.synthesis.cells import Codes
from node.synthesis.measurements import Histogram


class Replay:
    """Answers for cells what the histograms hold, and nothing else."""

    def __init__(self, histograms: Sequence[Histogram], schema: Schema) -> None:
        self._histograms = {histogram.stage: histogram for histogram in histograms}
        self._schema = schema

    def count_cells(self, place: int, level: int, starts: Codes, ends: Codes) -> Histogram:
        """A `columns.CellCounter`. Raises `Corrupt` where the histograms are of another schema."""
        column = self._schema.columns[place]
        histogram = self._histograms.get(f"cells/{place}/{level}")
        expected = len(starts) + (level == 0 and column.missing)
        if histogram is None or histogram.columns != (column.name,) or len(histogram.counts) != expected:
            raise Corrupt(
                f"expected measurements of column {column.name!r} under this schema; use the schema they were made with"
            )
        return histogram
