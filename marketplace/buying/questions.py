"""Questions to several providers as a buyer writes them down: a JSON list of analyses, each as its specification has it."""

from decimal import InvalidOperation

from marketplace.errors import Invalid
from marketplace.protocol import canonical
from marketplace.protocol.analysis import Analysis, analysis_of

LARGEST_BYTES = 2**18


def questions_of(data: bytes) -> tuple[Analysis, ...]:
    """The analyses in `data`, such as `[{"kind": "count"}, {"kind": "mean", "column": "age"}]`.

    Raises `Invalid`, naming its place, for one that is none.
    """
    try:
        written = canonical.parse(data)
    except ValueError:
        raise Invalid(
            "expected a JSON list of analyses in the file of questions, got something else; write one"
        ) from None
    if not isinstance(written, list) or not written:
        raise Invalid('expected a JSON list of analyses, such as [{"kind": "count"}], got another value; write one')
    return tuple(_question(place, each) for place, each in enumerate(written, 1))


def _question(place: int, written: object) -> Analysis:
    try:
        if not isinstance(written, dict):
            raise TypeError
        found = analysis_of(written)
        if found.document() != written:
            raise TypeError
    except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError):
        raise Invalid(
            f"question {place}: expected a known kind with its parts and no more, got others; see the docs"
        ) from None
    return found
