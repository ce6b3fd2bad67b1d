"""Tables of a joint analysis's answers that nobody reads to their end."""

from collections.abc import Iterator, Sequence

from node.evaluation import page

MOST_ROWS = 60
NO_TEST = "No test is possible: fewer than two groups have anybody in them."


def some(
    heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int], most: int = MOST_ROWS
) -> Iterator[str]:
    """A table of at most `most` rows, and where the others are. Arguments as of `page.table`."""
    yield page.table(heads, rows[:most], numbers=numbers)
    if len(rows) > most:
        yield elsewhere(len(rows), "rows")


def elsewhere(count: int, what: str) -> str:
    """Where so many of them are, which nobody reads on a page."""
    return f'<p class="note">All {count:,} {what} stand in the document beside this report.</p>'
