"""A day of the access log as one root of 32 bytes, which a provider anchors on the ledger and can open for an authority."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.sealing.tree import TreeRoot, depth_of
from node.vault.access import Access, Day, Entry

NOUN, VERSION = "access-log", 1
LEAF = b"\0"


@dataclass(frozen=True)
class DayLog:
    """The log of one day, for its provider and for whom it shows it."""

    day: Day

    def root(self) -> bytes:
        """The Merkle root over the day's own leaf and one leaf for each line, as `docs/sealing.md` defines trees.

        A leaf is SHA-256 of a zero byte and the canonical JSON of the line with its salt. The day's own leaf has a salt
        too, so that not even an empty day can be told from the root.
        """
        leaves = [sha256(LEAF + canonical.encode(document)).digest() for document in self._documents()]
        root = TreeRoot(depth_of(len(leaves)))
        root.add(leaves)
        return root.value()

    def encode(self) -> bytes:
        """The canonical bytes of the whole day, from which anyone computes the root again."""
        own, *lines = self._documents()
        return canonical.encode({"format": canonical.format_name(NOUN, VERSION), "day": own, "entries": lines})

    @classmethod
    def decode(cls, data: bytes) -> "DayLog":
        """The log in `data`. Raises `Corrupt` where the bytes are none."""
        fields = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            own = fields.inner("day")
            entries = tuple(_entry_of(line) for line in fields.many("entries"))
            log = cls(Day(own.whole("day"), own.bytes32("salt"), entries))
        except Invalid:
            raise Corrupt("expected the parts of an access log, got others; ask who made it") from None
        if log.encode() != data:
            raise Corrupt("expected the parts of an access log and no more; ask who made it")
        return log

    def _documents(self) -> list[dict[str, Any]]:
        return [{"day": self.day.number, "salt": self.day.salt.hex()}, *map(_document, self.day.entries)]


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "at_s": entry.at_s,
        "access": entry.access.value,
        "dataset": entry.dataset.hex(),
        "version": entry.version,
        "order": entry.order.hex(),
        "salt": entry.salt.hex(),
    }


def _entry_of(fields: Fields) -> Entry:
    access = fields.text("access")
    if access not in list(Access):
        raise Invalid("expected a known line in an access log")
    return Entry(
        at_s=fields.whole("at_s"),
        access=Access(access),
        dataset=_some_or_none(fields, "dataset"),
        version=fields.whole("version"),
        order=_some_or_none(fields, "order"),
        salt=fields.bytes32("salt"),
    )


def _some_or_none(fields: Fields, name: str) -> bytes:
    """32 bytes, or none."""
    return fields.bytes32(name) if fields.text(name) else b""
