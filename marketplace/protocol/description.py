"""A dataset's description: what its provider says about it in public, and nothing measured from records."""

from dataclasses import dataclass
from typing import Any

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.schema import Schema

NOUN, VERSION = "description", 1


@dataclass(frozen=True)
class Description:
    """Title and summary in words, where the records come from, the schema, and the rounded number of rows declared."""

    title: str
    summary: str
    provenance: str
    schema: Schema
    rows_declared: int

    def __post_init__(self) -> None:
        if not self.title.strip() or len(self.title) > 200:
            raise Invalid("expected a title of 1 to 200 characters")
        if not self.title.isprintable():
            raise Invalid("expected a title of printable characters on one line; remove the others")
        if self.rows_declared != round_rows(self.rows_declared):
            raise Invalid(
                f"expected a number of rows rounded to two digits and to tens, got {self.rows_declared}; round it"
            )

    @property
    def rows_by_default(self) -> int:
        """How many rows a result has where nobody says: those declared; persons, where the declared rows follow each other
        under them, as many as have surely no more rows than that."""
        visits = self.schema.rows_per_person if self.schema.timeline is not None else 1
        return -(-self.rows_declared // visits)

    def encode(self) -> bytes:
        """The canonical bytes, whose SHA-256 the dataset's version names."""
        return canonical.encode(self.document())

    def document(self) -> dict[str, Any]:
        """The description as a value for canonical JSON."""
        return {
            "format": canonical.format_name(NOUN, VERSION),
            "title": self.title,
            "summary": self.summary,
            "provenance": self.provenance,
            "unit": self.schema.unit,
            "schema": self.schema.document(),
            "rows_declared": self.rows_declared,
        }

    @classmethod
    def decode(cls, data: bytes) -> "Description":
        """The description in `data`. Raises `Corrupt` where the bytes are none."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            if not all(isinstance(document[name], str) for name in ("title", "summary", "provenance")):
                raise TypeError
            if type(document["rows_declared"]) is not int:
                raise TypeError
            description = cls(
                title=document["title"],
                summary=document["summary"],
                provenance=document["provenance"],
                schema=Schema.of_document(document["schema"]),
                rows_declared=document["rows_declared"],
            )
            if description.encode() != data:
                raise TypeError
        except (KeyError, TypeError, Invalid):
            raise Corrupt("expected the parts of a description, got others; ask who made it") from None
        return description


def round_rows(rows: int) -> int:
    """`rows` rounded to two significant digits and to tens, so that no exact count becomes public. At least 10.

    Raises `Invalid` below 1.
    """
    if rows < 1:
        raise Invalid(f"expected at least 1 row, got {rows}")
    digits = max(1, len(str(rows)) - 2)
    return max(10, round(rows, -digits))
