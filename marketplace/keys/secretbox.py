"""Small secrets at rest inside a node's own records, each bound to the label that it is stored under."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from marketplace.errors import Corrupt, Invalid
from marketplace.keys.format import require_format

FORMAT = b"agora/secretbox/1\n"
KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16


class SecretBox:
    """Seals and opens secrets under one storage key of 32 bytes, by AES-256-GCM with random nonces.

    One key serves up to 2**32 secrets (NIST SP 800-38D, 8.3). Raises `Invalid` unless `key` is 32 bytes.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if not isinstance(key, bytes) or len(key) != KEY_BYTES:
            raise Invalid(f"The storage key must be {KEY_BYTES} bytes; open the node's keystore again.")
        self._cipher = AESGCM(key)

    def seal(self, label: bytes, data: bytes) -> bytes:
        """`data`, readable only by who has the key and only under this `label`, which is no secret."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return FORMAT + nonce + self._cipher.encrypt(nonce, data, FORMAT + label)

    def open(self, label: bytes, blob: bytes) -> bytes:
        """What was sealed under `label`. Raises `Corrupt` when it was altered, or sealed under another label or key;

        `Invalid` for another format.
        """
        require_format(blob[: len(FORMAT)], FORMAT)
        nonce, sealed = blob[len(FORMAT) :][:_NONCE_BYTES], blob[len(FORMAT) + _NONCE_BYTES :]
        try:
            if len(nonce) < _NONCE_BYTES or len(sealed) < _TAG_BYTES:
                raise InvalidTag
            return self._cipher.decrypt(nonce, sealed, FORMAT + label)
        except InvalidTag as error:
            raise Corrupt(
                "A stored secret does not open: it was altered, or written under another label or storage key; "
                "restore the node's keys or records from a backup."
            ) from error
