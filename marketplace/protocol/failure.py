"""A failure as a node tells it over HTTP: one of the four kinds of error, and a sentence without any secret."""

from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from marketplace.protocol import canonical

NOUN, VERSION = "failure", 1
LONGEST_MESSAGE = 500
KINDS: dict[str, type[MarketplaceError]] = {kind.__name__: kind for kind in (Invalid, Refused, Corrupt, Unreachable)}


def encode_failure(error: MarketplaceError) -> bytes:
    """The document that says `error`."""
    return canonical.encode(
        {
            "format": canonical.format_name(NOUN, VERSION),
            "error": type(error).__name__,
            "message": _plain(str(error)),
        }
    )


def decode_failure(data: bytes) -> MarketplaceError:
    """The error that `data` says, its message one line that steers no terminal. Raises `Corrupt` where it says none."""
    document = canonical.decode(data, NOUN, VERSION)
    kind, message = document.get("error"), document.get("message")
    if not isinstance(kind, str) or kind not in KINDS or not isinstance(message, str) or len(document) != 3:
        raise Corrupt("expected a failure with its kind and a message, got other parts; ask whose node answered")
    return KINDS[kind](_plain(message))


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:LONGEST_MESSAGE])
