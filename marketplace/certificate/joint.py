"""The part of a certificate that several providers' nodes made together: who took part, and what each of them signed."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid
from marketplace.keys.tls import signed_with
from marketplace.protocol import canonical
from marketplace.protocol.crossing import Side
from marketplace.protocol.description import Description
from marketplace.protocol.identity import Address, DatasetId
from marketplace.protocol.schema import Schema
from marketplace.protocol.split import SplitSchema
from marketplace.protocol.transcript import context_of, signed_bytes
from marketplace.protocol.unit import PrivacyUnit, unit_of

NEIGHBOURS = {
    PrivacyUnit.PERSON: "Neighbouring datasets differ by all rows of one person at all parties.",
    PrivacyUnit.PERSON_AT_PROVIDER: "Neighbouring datasets differ by all rows of one person at one party. A person at k of the "
    "parties loses up to k * k times the rho.",
}
ASSUMPTIONS = (
    "Each party adds its own noise; the promise counts on all of them but as many as the threshold says.",
    "The noise of a party comes from a key of 32 bytes that its operating system drew for this order and that nobody is "
    "shown; masks hide a party's numbers from all others together; both guarantees are computational.",
    "The ledger proves what was charged. That a party's numbers are true, and its noise added, is its provider's signed word.",
)


def assumptions(unit: PrivacyUnit) -> tuple[str, ...]:
    """What the promise to such a privacy unit rests on."""
    return (NEIGHBOURS[unit], *ASSUMPTIONS)


@dataclass(frozen=True)
class Party:
    """One party: its dataset behind the order, what that was charged, and what it said of itself.

    `register`, `noise_commitment`: as in a certificate, 32 bytes each. `tls`: its TLS certificate in DER; `signature`: under
    the transcript, by that certificate's key.
    """

    provider: Address
    dataset: DatasetId
    version: int
    commitment: bytes
    description: bytes
    rho_micro: int
    register: bytes
    noise_commitment: bytes
    tls: bytes
    signature: bytes

    @property
    def fingerprint(self) -> bytes:
        """By which the ledger names its TLS certificate."""
        return sha256(self.tls).digest()

    def document(self) -> dict[str, Any]:
        """The party as a value for canonical JSON."""
        return {name: part.hex() if isinstance(part, bytes) else part for name, part in vars(self).items()}

    @classmethod
    def of_fields(cls, fields: Fields) -> "Party":
        """The party in `fields`. Raises `Invalid` where a part is missing or of another kind."""
        return cls(
            provider=Address(fields.text("provider")),
            dataset=DatasetId(fields.bytes32("dataset")),
            version=fields.whole("version"),
            commitment=fields.bytes32("commitment"),
            description=fields.bytes32("description"),
            rho_micro=fields.whole("rho_micro"),
            register=fields.bytes32("register"),
            noise_commitment=fields.bytes32("noise_commitment"),
            tls=_hex(fields.text("tls")),
            signature=_hex(fields.text("signature")),
        )


@dataclass(frozen=True)
class Halves:
    """Of a split table: on which of its `sides` each party is, in order, and what a party of the right one declares."""

    sides: tuple[Side, ...]
    right: Description

    def document(self) -> dict[str, Any]:
        """It as a value for canonical JSON."""
        return {"sides": [side.name.lower() for side in self.sides], "right": self.right.document()}

    @classmethod
    def of_fields(cls, fields: Fields) -> "Halves":
        """What is in `fields`. Raises `Invalid` where a part is missing or of another kind."""
        words = {side.name.lower(): side for side in Side}
        try:
            sides = tuple(words[word] for word in fields.list_of_text("sides"))
            return cls(sides, Description.decode(canonical.encode(fields.mapping("right"))))
        except (KeyError, Corrupt):
            raise Invalid("expected the sides of a split table, and a description of the right one") from None


@dataclass(frozen=True)
class Joint:
    """How several parties answered together. `parties`: in the offer's order. `transcript`: 32 bytes, signed by each.

    `lane`: how they computed. `threshold`: how many dishonest ones the noise is sized against. `unit`: whom it protects.
    `split`: of a split table alone.
    """

    lane: str
    threshold: int
    unit: PrivacyUnit
    transcript: bytes
    parties: tuple[Party, ...]
    split: Halves | None = None

    def document(self) -> dict[str, Any]:
        """It as a value for canonical JSON."""
        return {
            "lane": self.lane,
            "threshold": self.threshold,
            "unit": self.unit.word,
            "transcript": self.transcript.hex(),
            "parties": [party.document() for party in self.parties],
            **({"split": self.split.document()} if self.split else {}),
        }

    @classmethod
    def of_fields(cls, fields: Fields) -> "Joint":
        """What is in `fields`. Raises `Invalid` where a part is missing or of another kind."""
        return cls(
            lane=fields.text("lane"),
            threshold=fields.whole("threshold"),
            unit=unit_of(fields.text("unit")),
            transcript=fields.bytes32("transcript"),
            parties=tuple(map(Party.of_fields, fields.many("parties"))),
            split=Halves.of_fields(fields.inner("split")) if fields.has("split") else None,
        )

    def schema(self, described: Schema) -> Schema:
        """What the rows of a result have. `described`: what its lead declares. Raises `Invalid` where it can be no half of a
        split table with that of the right."""
        split = self.split
        return SplitSchema(described, split.right.schema, split.sides).joined if split else described

    def rows(self, rows_per_person: int) -> int:
        """The most rows of the unit in the sums, with so many of a person at each party."""
        return self.unit.rows([rows_per_person] * len(self.parties))

    @property
    def sums_micro(self) -> int:
        """What the sums may cost the unit, by what the parties' datasets were charged."""
        return self.unit.sums_micro([party.rho_micro for party in self.parties])

    def unsigned(self, order: bytes, specification: bytes) -> tuple[int, ...]:
        """The numbers of the parties whose signature is not under this transcript for this order."""
        context = context_of(order, specification, [party.fingerprint for party in self.parties])
        return tuple(
            number
            for number, party in enumerate(self.parties)
            if not signed_with(party.tls, party.signature, signed_bytes(context, number, self.transcript))
        )


def _hex(text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if not value or value.hex() != text:
        raise Invalid("expected bytes in lower-case hexadecimal")
    return value
