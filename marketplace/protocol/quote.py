"""A quote: what a buyer asks a provider's node before it orders, and what the node expects, from public facts alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.analysis_quote import Forecast
from marketplace.protocol.chunks import LARGEST_SIGNATURE_BYTES
from marketplace.protocol.identity import Address
from marketplace.protocol.specification import SEALING_KEY_BYTES
from marketplace.protocol.specified import Specified, read_specified
from marketplace.protocol.states import DeclineReason

VERB = "quote"
REQUEST, QUOTE, VERSION = "quote-request", "quote", 1
NO_KEY, NO_NONCE = bytes(SEALING_KEY_BYTES), bytes(32)
"""In the place of sealing key and nonce while nothing is ordered."""

_LATEST_S = 2**53 - 1
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,9}\.[0-9]{4}", re.ASCII)


@dataclass(frozen=True)
class QuoteRequest:
    """What somebody signs who asks: for which order, and the last second at which it asks.

    `specification`: the order's, whose sealing key and nonce do not matter yet.
    """

    buyer: Address
    specification: Specified
    until_s: int

    def __post_init__(self) -> None:
        if not 0 <= self.until_s <= _LATEST_S:
            raise Invalid("expected a time in seconds until which the request holds; give one")

    @property
    def digest(self) -> bytes:
        """SHA-256 of the specification, which the answer names again."""
        return sha256(self.specification.encode()).digest()

    def encode(self, signature: bytes) -> bytes:
        """The signed request as it is sent."""
        return canonical.encode(
            {
                "format": canonical.format_name(REQUEST, VERSION),
                "buyer": self.buyer,
                "specification": self.specification.encode().decode(),
                "until_s": self.until_s,
                "signature": signature.hex(),
            }
        )


@dataclass(frozen=True)
class SignedQuoteRequest:
    """A request as it came. Whose signature it is, nobody has checked yet."""

    request: QuoteRequest
    signature: bytes

    @classmethod
    def decode(cls, data: bytes) -> "SignedQuoteRequest":
        """The request in `data`. Raises `Invalid` where the bytes are none."""
        try:
            document = canonical.decode(data, REQUEST, VERSION)
            request = QuoteRequest(
                _address(document["buyer"]),
                read_specified(canonical.text(document["specification"]).encode()),
                canonical.whole(document["until_s"]),
            )
            signed = cls(request, bytes.fromhex(document["signature"]))
            if request.encode(signed.signature) != data:
                raise ValueError
        except (KeyError, TypeError, ValueError):
            raise Invalid(
                "expected the parts of a signed request for a quote, got others; update this program"
            ) from None
        except Corrupt as error:
            raise Invalid(str(error)) from None
        if len(signed.signature) > LARGEST_SIGNATURE_BYTES:
            raise Invalid(f"expected a signature of at most {LARGEST_SIGNATURE_BYTES} bytes, got more; sign again")
        return signed


@dataclass(frozen=True)
class ExpectedScore:
    """A released score as it is expected: decimals of four digits. `likely` and `wide`: ends that hold it with 80 % and
    with 95 %. `floor`: what a shuffle of the columns has; None where that changes nothing."""

    name: str
    value: str
    likely: tuple[str, str]
    wide: tuple[str, str]
    floor: str | None
    ceiling: str

    def document(self) -> dict[str, Any]:
        """The score as a value for canonical JSON."""
        return {**vars(self), "likely": list(self.likely), "wide": list(self.wide)}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "ExpectedScore":
        """The score in `document`. Raises `KeyError`, `TypeError` or `ValueError` where it is none."""
        (low, high), (least, most) = document["likely"], document["wide"]
        ends = (_decimal(low), _decimal(high)), (_decimal(least), _decimal(most))
        floor = None if document["floor"] is None else _decimal(document["floor"])
        return cls(
            canonical.text(document["name"]), _decimal(document["value"]), *ends, floor, _decimal(document["ceiling"])
        )


@dataclass(frozen=True)
class Expectation:
    """What the scores will be like, by a generator's runs on public tables.

    `generator`: name and version. `tables`, `runs`: how many there were. `decisive`: the score that is compared with its
    floor; None where there is none. `rows_needed`: how many records like these, in all, would pass it; None where these
    pass, or no number does. `beyond`: whether the order lies beyond those runs, so that the ends may be wrong.
    `seconds`: of one processor.
    """

    generator: str
    tables: int
    runs: int
    scores: tuple[ExpectedScore, ...]
    decisive: str | None
    below_floor: bool
    rows_needed: int | None
    beyond: bool
    seconds: int

    def document(self) -> dict[str, Any]:
        """The expectation as a value for canonical JSON."""
        return {**vars(self), "scores": [score.document() for score in self.scores]}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Expectation":
        """The expectation in `document`. Raises `KeyError`, `TypeError` or `ValueError` where it is none."""
        return cls(
            generator=canonical.text(document["generator"]),
            tables=canonical.whole(document["tables"]),
            runs=canonical.whole(document["runs"]),
            scores=tuple(ExpectedScore.of_document(part) for part in document["scores"]),
            decisive=None if document["decisive"] is None else canonical.text(document["decisive"]),
            below_floor=_truth(document["below_floor"]),
            rows_needed=None if document["rows_needed"] is None else canonical.whole(document["rows_needed"]),
            beyond=_truth(document["beyond"]),
            seconds=canonical.whole(document["seconds"]),
        )


@dataclass(frozen=True)
class Refusal:
    """Why an order would be declined: the code that the ledger would have, and words."""

    code: DeclineReason
    words: str


@dataclass(frozen=True)
class Quote:
    """A node's answer, no promise: what an order costs, whether it would be let in, and what it would be like.

    `specification`: SHA-256 of the one that was asked about. `epsilon`: a decimal, what the order's rho implies at the
    offer's delta; None where the guarantee is exact. `refusal`: None where it would be let in. `expectation`: of a
    synthetic twin; `forecast`: of a joint analysis; where nothing is known of what the order would be like, `unknown` says
    why. One of these three is there.
    """

    specification: bytes
    price_units: int
    rho_micro: int
    delta_atto: int
    epsilon: str | None
    refusal: Refusal | None
    expectation: Expectation | None
    unknown: str | None = None
    forecast: Forecast | None = None

    def encode(self) -> bytes:
        """The answer as it is sent."""
        refusal = self.refusal and {"code": self.refusal.code.name.lower(), "words": self.refusal.words}
        return canonical.encode(
            {
                "format": canonical.format_name(QUOTE, VERSION),
                "specification": self.specification.hex(),
                "price_units": str(self.price_units),
                "rho_micro": str(self.rho_micro),
                "delta_atto": str(self.delta_atto),
                "epsilon": self.epsilon,
                "refusal": refusal,
                "expectation": self.expectation and self.expectation.document(),
                "unknown": self.unknown,
                "forecast": self.forecast and self.forecast.document(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Quote":
        """The answer in `data`. Raises `Corrupt` where the bytes are none."""
        document = canonical.decode(data, QUOTE, VERSION)
        try:
            refusal, expected, forecast = document["refusal"], document["expectation"], document["forecast"]
            quote = cls(
                specification=bytes.fromhex(document["specification"]),
                price_units=int(canonical.text(document["price_units"])),
                rho_micro=int(canonical.text(document["rho_micro"])),
                delta_atto=int(canonical.text(document["delta_atto"])),
                epsilon=None if document["epsilon"] is None else _decimal(document["epsilon"]),
                refusal=refusal and Refusal(DeclineReason[refusal["code"].upper()], canonical.text(refusal["words"])),
                expectation=expected and Expectation.of_document(expected),
                unknown=None if document["unknown"] is None else canonical.text(document["unknown"]),
                forecast=forecast and Forecast.of_document(forecast),
            )
            told = (quote.expectation, quote.unknown, quote.forecast)
            if quote.encode() != data or sum(one is not None for one in told) != 1:
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Corrupt("expected the parts of a quote, got others; ask whose node answered") from None
        return quote


def decimal_of(value: float) -> str:
    """A number >= 0 as a decimal of four digits."""
    return f"{value:.4f}"


def _address(value: object) -> Address:
    if not _ADDRESS.fullmatch(canonical.text(value)):
        raise ValueError
    return Address(canonical.text(value))


def _decimal(value: object) -> str:
    if not _DECIMAL.fullmatch(canonical.text(value)):
        raise ValueError
    return canonical.text(value)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value
