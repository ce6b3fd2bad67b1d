"""Secrets under a passphrase: scrypt and AES-256-GCM in one line of JSON that says what it is.

The line has a checksum, so that damage and a wrong passphrase are told apart, and every field is authenticated.
"""

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.keys.format import parse_object

_SALT_BYTES = 16
_NONCE_BYTES = 12
_KEY_BYTES = 32
_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_HEX_FIELDS = ("salt", "nonce", "ciphertext")
_FIELDS = {"format", "purpose", "n", "r", "p", "sha256", *_HEX_FIELDS}


@dataclass(frozen=True)
class ScryptCost:
    """Parameters of scrypt (RFC 7914): one derivation takes 128 * n * r bytes of memory. `n` is a power of two."""

    n: int = 2**17
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        power_of_two = self.n > 1 and self.n & (self.n - 1) == 0
        if not (power_of_two and 1 <= self.r <= 32 and 1 <= self.p <= 16 and 128 * self.n * self.r <= 2**30):
            raise Invalid("Scrypt's n must be a power of two, r at most 32, p at most 16, its memory at most 1 GiB.")


def encode_passphrase(passphrase: str) -> bytes:
    """Its UTF-8 bytes. Raises `Invalid` for an empty one."""
    if not passphrase:
        raise Invalid("The passphrase is empty; choose one of several words.")
    return passphrase.encode("utf-8")


def encrypt(secret: bytes, passphrase: str, *, format_name: str, purpose: str, cost: ScryptCost) -> bytes:
    """`secret` under `passphrase`, as one line of JSON. `purpose` says what it is and must be given to open it."""
    fields: dict[str, Any] = {
        "format": format_name,
        "purpose": purpose,
        "n": cost.n,
        "r": cost.r,
        "p": cost.p,
        "salt": secrets.token_hex(_SALT_BYTES),
        "nonce": secrets.token_hex(_NONCE_BYTES),
    }
    cipher = AESGCM(_derive(passphrase, fields["salt"], cost))
    fields["ciphertext"] = cipher.encrypt(bytes.fromhex(fields["nonce"]), secret, _canonical(fields)).hex()
    fields["sha256"] = hashlib.sha256(_canonical(fields)).hexdigest()
    return _canonical(fields) + b"\n"


def decrypt(blob: bytes, passphrase: str, *, format_name: str, purpose: str) -> bytes:
    """The secret that `encrypt` put under `passphrase`.

    Raises `Refused` for a wrong passphrase, `Corrupt` for damaged bytes, `Invalid` for another format or purpose.
    """
    fields = _parse(blob, format_name)
    if fields["purpose"] != purpose:
        raise Invalid(f"Expected a file that holds the {purpose}, found the {fields['purpose']}; give the other file.")
    ciphertext = bytes.fromhex(fields.pop("ciphertext"))
    cost = ScryptCost(fields["n"], fields["r"], fields["p"])
    cipher = AESGCM(_derive(passphrase, fields["salt"], cost))
    try:
        return cipher.decrypt(bytes.fromhex(fields["nonce"]), ciphertext, _canonical(fields))
    except InvalidTag as error:
        raise Refused("The passphrase is wrong; try again.") from error


def _derive(passphrase: str, salt: str, cost: ScryptCost) -> bytes:
    kdf = Scrypt(salt=bytes.fromhex(salt), length=_KEY_BYTES, n=cost.n, r=cost.r, p=cost.p)
    return kdf.derive(encode_passphrase(passphrase))


def _canonical(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")


def _parse(blob: bytes, format_name: str) -> dict[str, Any]:
    """The fields without the checksum, once the whole line has been checked against it."""
    damaged = Corrupt(f"The file is damaged: it is no whole {format_name}; restore it from a backup.")
    try:
        fields = parse_object(blob)
    except ValueError as error:
        raise damaged from error
    if not isinstance(fields.get("format"), str):
        raise damaged
    found = fields["format"]
    if found != format_name and found.startswith("agora/") and found.isprintable() and len(found) < 64:
        raise Invalid(f"Expected the format {format_name}, found {found}; use a program that reads it.")
    if blob.strip() != _canonical(fields) or fields.keys() != _FIELDS:
        raise damaged
    checksum = fields.pop("sha256")
    if found != format_name or hashlib.sha256(_canonical(fields)).hexdigest() != checksum:
        raise damaged
    hexadecimal = all(isinstance(fields[name], str) and _HEX.fullmatch(fields[name]) for name in _HEX_FIELDS)
    whole = all(type(fields[name]) is int for name in ("n", "r", "p"))
    if not (hexadecimal and whole and isinstance(fields["purpose"], str)) or len(fields["nonce"]) != 2 * _NONCE_BYTES:
        raise damaged
    return fields
