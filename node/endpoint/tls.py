"""The node's TLS certificate on its disk: made at first need, replaced on demand, for its owner only."""

import ssl
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from marketplace.errors import Corrupt
from marketplace.keys.tls import make_tls_file, tls_fingerprint, tls_password
from node.files import reading, write_whole

FILE = "tls.pem"
CERTIFICATE = b"-----BEGIN CERTIFICATE"


@dataclass(frozen=True)
class TlsFile:
    """Key and certificate in one file, the key encrypted. `fingerprint`: SHA-256 of the certificate (DER)."""

    path: Path
    fingerprint: bytes
    password: bytes = field(repr=False)

    def certificate(self) -> bytes:
        """The certificate in DER. Raises as the disk does."""
        with reading(self.path) as file:
            kept = file.read()
        return ssl.PEM_cert_to_DER_cert(kept[kept.index(CERTIFICATE) :].decode())

    def context(self) -> ssl.SSLContext:
        """What a server needs to prove that it has this certificate: TLS 1.3 only.

        Raises `Corrupt` if the file does not hold a key that opens with its certificate.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        try:
            context.load_cert_chain(self.path, password=self.password)
        except (ssl.SSLError, OSError):
            raise Corrupt(
                "expected the key to the node's TLS certificate, it does not open; `agora-node endpoint rotate` makes another"
            ) from None
        return context


def tls_file(folder: Path, storage_key: bytes, host: str, now: datetime) -> TlsFile:
    """The certificate in the keys' `folder`; a new one for `host` if there is none. Raises as the disk does."""
    if not (folder / FILE).exists():
        return rotate_tls_file(folder, storage_key, host, now)
    with reading(folder / FILE) as file:
        kept = file.read()
    return TlsFile(folder / FILE, tls_fingerprint(kept), tls_password(storage_key))


def rotate_tls_file(folder: Path, storage_key: bytes, host: str, now: datetime) -> TlsFile:
    """A new certificate in the place of the one in the keys' `folder`. A running node keeps its old one until it ends."""
    password = tls_password(storage_key)
    made = make_tls_file(host, password, now)
    write_whole(folder / FILE, made)
    return TlsFile(folder / FILE, tls_fingerprint(made), password)
