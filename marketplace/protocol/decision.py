"""An authority's decision about a permit, as a public document that the ledger names by its hash."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.identity import Address
from marketplace.protocol.prose import check_prose
from marketplace.protocol.purpose import LARGEST_CODE

NOUN, VERSION = "permit", 1
LONGEST_REFERENCE, LONGEST_WORDS = 200, 10_000
LATEST_S = 2**40 - 1
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)


class Act(StrEnum):
    """What is decided."""

    GRANT = "grant"
    EXTEND = "extend"
    REVOKE = "revoke"


@dataclass(frozen=True)
class Decision:
    """What `authority` decided, and the permit as it stands from then on.

    `from_s`, `to_s`: the first and the last second of its term. `subjects`: ids of the offers or datasets that it is for,
    32 bytes each. `reference`: the authority's own file number. `words`: reasons and conditions. Who works for the holder
    does not belong in here: everybody can read it, for ever.
    """

    act: Act
    authority: Address
    holder: Address
    purpose: int
    from_s: int
    to_s: int
    subjects: tuple[bytes, ...] = field(repr=False)
    reference: str
    words: str

    def __post_init__(self) -> None:
        if not all(isinstance(who, str) and _ADDRESS.fullmatch(who) for who in (self.authority, self.holder)):
            raise Invalid("expected the addresses of authority and holder in a permit; copy them again")
        if type(self.purpose) is not int or not 0 <= self.purpose <= LARGEST_CODE:
            raise Invalid(f"expected a purpose's code between 0 and {LARGEST_CODE} in a permit; choose one")
        if (
            not all(type(each) is int for each in (self.from_s, self.to_s))
            or not 0 <= self.from_s < self.to_s <= LATEST_S
        ):
            raise Invalid("expected a permit whose term ends after it begins; change the times")
        if not self.subjects or any(len(subject) != 32 for subject in self.subjects):
            raise Invalid("expected a permit for at least one offer or dataset, named by 32 bytes; copy the ids again")
        check_prose(self.reference, "a permit's reference", LONGEST_REFERENCE)
        if "\n" in self.reference:
            raise Invalid("expected a permit's reference on one line; shorten it")
        check_prose(self.words, "a permit", LONGEST_WORDS)

    def encode(self) -> bytes:
        """The canonical bytes, whose SHA-256 the ledger names."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "act": self.act.value,
                "authority": self.authority,
                "holder": self.holder,
                "purpose": self.purpose,
                "from_s": self.from_s,
                "to_s": self.to_s,
                "subjects": [subject.hex() for subject in self.subjects],
                "reference": self.reference,
                "words": self.words,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Decision":
        """The decision in `data`. Raises `Corrupt` where the bytes are none."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            decision = cls(
                act=Act(document["act"]),
                authority=document["authority"],
                holder=document["holder"],
                purpose=document["purpose"],
                from_s=document["from_s"],
                to_s=document["to_s"],
                subjects=tuple(bytes.fromhex(subject) for subject in document["subjects"]),
                reference=document["reference"],
                words=document["words"],
            )
        except (KeyError, TypeError, ValueError, Invalid):
            raise Corrupt("expected the parts of a permit, got others; ask who made it") from None
        if decision.encode() != data:
            raise Corrupt("expected the parts of a permit and no more; ask who made it")
        return decision
