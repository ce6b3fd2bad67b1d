"""A pooled offer before it is published, as a file that its lead hands to the other members: `agora/offer-draft/1`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid
from marketplace.ledger import ids
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.ids import Domain
from marketplace.protocol import canonical
from marketplace.protocol.identity import DatasetId
from marketplace.protocol.offer import Guarantee, Head, Kind, Member, Offer
from marketplace.protocol.unit import PrivacyUnit

NOUN, VERSION = "offer-draft", 1
LARGEST_BYTES = 2**16

_ADDRESSES = frozenset({"lead", "token", "authority", "arbiter"})
_DIGESTS = frozenset({"terms", "stock"})
_ENUMS: dict[str, type[IntEnum]] = {"kind": Kind, "guarantee": Guarantee, "unit": PrivacyUnit}
_MOST_DIGITS = 78


@dataclass(frozen=True)
class OfferDraft:
    """`offer` as it will be published on the marketplace `domain`. Its id follows from all of it."""

    domain: Domain
    offer: Offer

    def encode(self) -> bytes:
        """The canonical bytes. Numbers are in text, since some are longer than 53 bits."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "chain_id": self.domain.chain_id,
                "contract": self.domain.contract,
                "head": _document(self.offer.head),
                "members": [_document(member) for member in self.offer.members],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "OfferDraft":
        """The draft in `data`. Raises `Corrupt` where the bytes are none, `Invalid` for a value that no offer can have."""
        parts = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            domain = Domain(parts.whole("chain_id"), checksummed(parts.text("contract")))
            head, members = _head(parts.inner("head")), [_member(member) for member in parts.many("members")]
            if not members:
                raise Invalid("expected at least one member")
        except (Invalid, ValueError):
            raise Corrupt("expected the parts of a drafted offer, got others; ask its lead for it again") from None
        draft = cls(domain, ids.offer(domain, head, members))
        if draft.encode() != data:
            raise Corrupt("expected the parts of a drafted offer and no more; ask its lead for it again")
        return draft


def _document(value: Head | Member) -> dict[str, str]:
    return {field.name: _text(getattr(value, field.name)) for field in fields(value)}


def _text(value: object) -> str:
    if isinstance(value, IntEnum):
        return value.name.lower()
    return value.hex() if isinstance(value, bytes) else str(value)


def _head(parts: Fields) -> Head:
    values: Mapping[str, Any] = {field.name: _value(parts, field.name) for field in fields(Head)}
    return Head(**values)


def _value(parts: Fields, name: str) -> object:
    if name in _ADDRESSES:
        return checksummed(parts.text(name))
    if name in _DIGESTS:
        return parts.bytes32(name)
    if name in _ENUMS:
        return _member_of(_ENUMS[name], parts.text(name))
    return _number(parts.text(name))


def _member(parts: Fields) -> Member:
    return Member(
        dataset=DatasetId(parts.bytes32("dataset")),
        provider=checksummed(parts.text("provider")),
        share_bps=_number(parts.text("share_bps")),
        rho_micro=_number(parts.text("rho_micro")),
    )


def _member_of(enum: type[IntEnum], word: str) -> IntEnum:
    found = [value for value in enum if value.name.lower() == word]
    if not found:
        raise Invalid(f"expected a known {enum.__name__}")
    return found[0]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Invalid("expected a whole number of 0 or more")
    return int(text)
