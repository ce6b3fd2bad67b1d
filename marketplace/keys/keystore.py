"""A secret of 32 bytes at rest, in the format `agora/keystore/1`: the sealing seed of a buyer, a node's storage key."""

from enum import StrEnum
from pathlib import Path

from marketplace.errors import Invalid
from marketplace.keys.file import create_file, read_file
from marketplace.keys.passphrase import ScryptCost, decrypt, encrypt

FORMAT = "agora/keystore/1"
SECRET_BYTES = 32
_DEFAULT_COST = ScryptCost()


class Purpose(StrEnum):
    """What a keystore file holds. A file opens for its own purpose alone."""

    SEALING_SEED = "sealing seed"
    STORAGE_KEY = "storage key"


def create_key(
    path: Path, secret: bytes, passphrase: str, *, purpose: Purpose, cost: ScryptCost = _DEFAULT_COST
) -> None:
    """Write `secret`, 32 bytes, to a new file that only its owner may read.

    Raises `Refused` when something is at `path` already, `Invalid` for another length or an empty passphrase.
    """
    if not isinstance(secret, bytes) or len(secret) != SECRET_BYTES:
        raise Invalid(f"The {purpose} must be {SECRET_BYTES} bytes; make it from the operating system's randomness.")
    create_file(path, encrypt(secret, passphrase, format_name=FORMAT, purpose=purpose, cost=cost))


def open_key(path: Path, passphrase: str, *, purpose: Purpose) -> bytes:
    """The secret at `path`, 32 bytes.

    Raises `Refused` for a wrong passphrase, `Corrupt` for a damaged file, `Invalid` when there is none, or one of
    another purpose or format.
    """
    return decrypt(read_file(path), passphrase, format_name=FORMAT, purpose=purpose)
