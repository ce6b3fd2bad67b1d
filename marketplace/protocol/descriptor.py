"""A node's descriptor: where its endpoint is and by which TLS certificate it is known. Public, named on the ledger."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.identity import Address

NOUN, VERSION = "descriptor", 1
LARGEST_PORT = 65_535
LONGEST_NAME = 253
FINGERPRINT_BYTES = 32

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)


@dataclass(frozen=True)
class Described:
    """What the ledger says of a provider's descriptor: its SHA-256, and that of the TLS certificate (DER) in it."""

    descriptor: bytes
    certificate: bytes

    def __post_init__(self) -> None:
        if len(self.descriptor) != FINGERPRINT_BYTES or len(self.certificate) != FINGERPRINT_BYTES:
            raise Invalid(
                "expected a descriptor's digest and a certificate's fingerprint of 32 bytes each; copy them again"
            )


@dataclass(frozen=True)
class Place:
    """Where something listens: a host's name in lower case or its IP address, without brackets, and a port."""

    host: str
    port: int

    def __post_init__(self) -> None:
        if not _is_host(self.host):
            raise Invalid("expected a host's name in lower case or an IP address, got another text; give one of them")
        if type(self.port) is not int or not 1 <= self.port <= LARGEST_PORT:
            raise Invalid(f"expected a port between 1 and {LARGEST_PORT}, got another; give one of them")

    @classmethod
    def of_text(cls, text: str) -> "Place":
        """The place that `host:port` means; an IPv6 address stands in brackets. Raises `Invalid` if it means none."""
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if not colon or not _PORT.fullmatch(port) or (":" in host and not bracketed):
            raise Invalid("expected a place as in node.example:8443, got another text; give a host and a port")
        place = cls(host[1:-1] if bracketed else host, int(port))
        if str(place) != text:
            raise Invalid("expected a place as in node.example:8443 or [::1]:8443, got another spelling; spell it so")
        return place

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class PartyPlace:
    """`place`: where the node takes part in joint analyses. `certificate`: its TLS certificate itself, in DER."""

    place: Place
    certificate: bytes

    def document(self) -> dict[str, str]:
        """It as a value for canonical JSON."""
        return {"place": str(self.place), "certificate": self.certificate.hex()}


@dataclass(frozen=True)
class Descriptor:
    """`provider`: whose node it is. `endpoint`: where it answers over HTTPS. `certificate`: SHA-256 of its TLS certificate
    in DER, by which alone it is known: no authority vouches for it. `party`: None for a node that takes no part in joint
    analyses."""

    provider: Address
    endpoint: Place
    certificate: bytes
    party: PartyPlace | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.provider, str) or not _ADDRESS.fullmatch(self.provider):
            raise Invalid("expected a provider's address in a descriptor, got another text; copy it again")
        if len(self.certificate) != FINGERPRINT_BYTES:
            raise Invalid(f"expected a fingerprint of {FINGERPRINT_BYTES} bytes, got {len(self.certificate)}")
        if self.party is not None and sha256(self.party.certificate).digest() != self.certificate:
            raise Invalid(
                "expected the very certificate whose fingerprint a descriptor names, got another; describe anew"
            )

    @property
    def url(self) -> str:
        """The endpoint as people and documents spell it."""
        return f"https://{self.endpoint}"

    def encode(self) -> bytes:
        """The canonical bytes, whose SHA-256 the ledger names."""
        document: dict[str, Any] = {
            "format": canonical.format_name(NOUN, VERSION),
            "provider": self.provider,
            "endpoint": self.url,
            "certificate": self.certificate.hex(),
        }
        return canonical.encode(document if self.party is None else {**document, "party": self.party.document()})

    @classmethod
    def decode(cls, data: bytes) -> "Descriptor":
        """The descriptor in `data`. Raises `Corrupt` where the bytes are none."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            scheme, separator, place = document["endpoint"].partition("://")
            if (scheme, separator) != ("https", "://"):
                raise ValueError
            party = _party(document["party"]) if "party" in document else None
            fingerprint = bytes.fromhex(document["certificate"])
            descriptor = cls(document["provider"], Place.of_text(place), fingerprint, party)
        except (KeyError, TypeError, ValueError, AttributeError, Invalid):
            raise Corrupt("expected the parts of a descriptor, got others; ask who made it") from None
        if descriptor.encode() != data:
            raise Corrupt("expected the parts of a descriptor and no more; ask who made it")
        return descriptor


def _party(document: Mapping[str, Any]) -> PartyPlace:
    return PartyPlace(Place.of_text(document["place"]), bytes.fromhex(document["certificate"]))


def _is_host(text: object) -> bool:
    if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_NAME:
        return False
    if text.rpartition(".")[2].isdigit() or ":" in text:
        return _is_ip_address(text)
    return all(_LABEL.fullmatch(label) for label in text.split("."))


def _is_ip_address(text: str) -> bool:
    """Whether `text` is an IP address in its one canonical spelling, without a zone."""
    try:
        return str(ipaddress.ip_address(text)) == text and "%" not in text
    except ValueError:
        return False
