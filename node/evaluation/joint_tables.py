"""Tables of a joint analysis's answers that nobody reads to their end."""

from collections.abc import Iterator, Sequence

from marketplace.protocol.analysis_curves import NORMAL_TIMES
from node.evaluation import page
from node.evaluation.drawing import number

MOST_ROWS = 60
NO_TEST = "No test is possible: fewer than two groups have anybody in them."
HIDDEN_TEST = "No test is possible: too few records stand out from the noise."


def some(
    heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int], most: int = MOST_ROWS
) -> Iterator[str]:
    """A table of at most `most` rows, and where the others are. Arguments as of `page.table`."""
    yield page.table(heads, rows[:most], numbers=numbers)
    if len(rows) > most:
        yield elsewhere(len(rows), "rows")


def noise_of_counts(error: float) -> Iterator[str]:
    """What noise with a standard deviation of `error` does to each count; nothing where there is none."""
    if error:
        yield page.paragraph(
            f"Every count has noise in it, standard deviation {number(error)}: 19 of 20 are within "
            f"{number(NORMAL_TIMES * error)} of the true one. Those below 0 are shown as 0."
        )


def elsewhere(count: int, what: str) -> str:
    """Where so many of them are, which nobody reads on a page."""
    return f'<p class="note">All {count:,} {what} stand in the document beside this report.</p>'
