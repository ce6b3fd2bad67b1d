"""The public figures of attacks that ship with this program, for each version of a generator."""

from importlib.resources import files

from marketplace.certificate.attacks import PublicAttacks, PublicFigure
from marketplace.errors import Corrupt
from marketplace.protocol import canonical

__all__ = ["FILE", "PublicAttacks", "PublicFigure", "decode", "encode", "public_attacks"]

NOUN, VERSION = "public-attacks", 1
FILE = "public_attacks.json"


def public_attacks(generator: str) -> PublicAttacks:
    """The figures that ship for `generator` (name and version); without figures where it was never attacked."""
    found = {one.generator: one for one in decode(files(__package__).joinpath(FILE).read_bytes())}
    return found.get(generator, PublicAttacks(generator, "", "", ()))


def encode(versions: tuple[PublicAttacks, ...]) -> bytes:
    """The canonical bytes of the file."""
    documents = [one.document() for one in versions]
    return canonical.encode({"format": canonical.format_name(NOUN, VERSION), "versions": documents})


def decode(data: bytes) -> tuple[PublicAttacks, ...]:
    """Every version's figures in the bytes of the file. Raises `Corrupt` where they are none."""
    document = canonical.decode(data, NOUN, VERSION)
    if set(document) != {"format", "versions"} or not isinstance(document["versions"], list):
        raise Corrupt("expected public figures of attacks, got other parts; install this version again")
    return tuple(PublicAttacks.of_document(one) for one in document["versions"])
