"""What is likely to be opened of a split table for its twin: told from the declaration, before any record is opened."""

from collections.abc import Iterator

import numpy as np

from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.crossing import Crossing
from node.twin.vertical import VerticalTwin


def likely(twin: VerticalTwin, persons: int) -> Iterator[Crossing]:
    """What is crossed in each round if so many `persons` are known to both sides and are spread evenly over every table.

    Bins and marginals follow from what is opened, so that records spread otherwise have others. Raises as `VerticalTwin`.
    """
    opened: Opened = ()
    while (crossing := twin.crossing(opened)) is not None:
        yield crossing
        even = [np.full(one.opened, round(persons / one.opened), np.int64) for one in crossing.tables]
        opened = (*opened, twin.named(opened, np.concatenate(even)))
