"""The key that signs on the ledger, at rest as Web3 Secret Storage version 3, which every Ethereum wallet reads."""

import json
from pathlib import Path
from typing import Any

from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.keys.file import create_file, read_file
from marketplace.keys.format import parse_object
from marketplace.keys.passphrase import ScryptCost, encode_passphrase

KEY_BYTES = 32
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_MOST_ROUNDS = 10_000_000
_DEFAULT_COST = ScryptCost()


def create_ledger_key(path: Path, key: bytes, passphrase: str, *, cost: ScryptCost = _DEFAULT_COST) -> None:
    """Write a secp256k1 private key, 32 bytes, to a new file that only its owner may read. `cost.r` and `.p` stay 8, 1.

    Raises `Refused` when something is at `path` already, `Invalid` for bytes that are no such key, an empty passphrase
    or another `r` or `p`.
    """
    if not isinstance(key, bytes) or len(key) != KEY_BYTES or not 0 < int.from_bytes(key, "big") < CURVE_ORDER:
        raise Invalid("A ledger key must be 32 bytes, a number from 1 to below the order of secp256k1; make another.")
    if (cost.r, cost.p) != (_DEFAULT_COST.r, _DEFAULT_COST.p):
        raise Invalid("A ledger key's file has scrypt's r = 8 and p = 1; change n alone.")
    fields = create_keyfile_json(key, encode_passphrase(passphrase), kdf="scrypt", iterations=cost.n)
    create_file(path, json.dumps(fields, indent=2).encode("ascii") + b"\n")


def open_ledger_key(path: Path, passphrase: str) -> bytes:
    """The private key at `path`, 32 bytes; the file may come from another wallet.

    Raises `Refused` for a wrong passphrase, `Corrupt` for a damaged file, `Invalid` when there is none. The format
    cannot tell a wrong passphrase from some kinds of damage, and the message says so.
    """
    secret = encode_passphrase(passphrase)
    fields = parse_ledger_key(read_file(path))
    try:
        key = decode_keyfile_json(fields, secret)
    except ValueError as error:
        raise Refused("The passphrase is wrong, or the file is damaged; try again, or restore a backup.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged() from error
    if len(key) != KEY_BYTES or not 0 < int.from_bytes(key, "big") < CURVE_ORDER:
        raise _damaged()
    named = fields.get("address")
    if named is not None and str(named).lower().removeprefix("0x") != _address_of(key):
        raise _damaged()
    return bytes(key)


def parse_ledger_key(data: bytes) -> dict[str, Any]:
    """The fields of a file in this format, for `eth_keyfile`. Raises `Corrupt` for anything else."""
    try:
        fields = parse_object(data)
        crypto = fields["crypto"] if "crypto" in fields else fields["Crypto"]
        known = fields["version"] == 3 and crypto["cipher"] == "aes-128-ctr" and _is_bounded(crypto)
        whole = all(bytes.fromhex(text) for text in (crypto["ciphertext"], crypto["mac"], crypto["cipherparams"]["iv"]))
    except (ValueError, KeyError, TypeError, AttributeError, Invalid) as error:
        raise _damaged() from error
    if not known or not whole:
        raise _damaged()
    return fields


def _is_bounded(crypto: dict[str, Any]) -> bool:
    """Whether deriving the key is a known function of bearable cost."""
    parameters = crypto["kdfparams"]
    if parameters["dklen"] != KEY_BYTES or not bytes.fromhex(parameters["salt"]):
        return False
    if crypto["kdf"] == "scrypt":
        ScryptCost(parameters["n"], parameters["r"], parameters["p"])
        return True
    named = crypto["kdf"] == "pbkdf2" and parameters["prf"] == "hmac-sha256"
    return bool(named and 0 < parameters["c"] <= _MOST_ROUNDS)


def _address_of(key: bytes) -> str:
    """Its address in lower-case hexadecimal without 0x; a throw-away file tells it."""
    return str(create_keyfile_json(key, b"", kdf="scrypt", iterations=2)["address"]).lower()


def _damaged() -> Corrupt:
    return Corrupt("The file is damaged: it is no whole Web3 Secret Storage of version 3; restore it from a backup.")
