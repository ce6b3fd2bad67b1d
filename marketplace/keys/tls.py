"""The TLS certificate that a node makes for itself. Whoever talks to the node knows it by its fingerprint alone."""

import ipaddress
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from marketplace.errors import Corrupt, Invalid

COMMON_NAME = "Agora Health node"
WITHOUT_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
USES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
"""A node answers at its endpoint, and calls others as a party."""
_LABEL = b"agora/tls-key/1"
_SKEW = timedelta(days=1)


def tls_password(storage_key: bytes) -> bytes:
    """The password under which a node's TLS key lies on its disk, from its storage key of 32 bytes. Source: RFC 5869."""
    expand = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_LABEL)
    return expand.derive(storage_key).hex().encode()


def make_tls_file(host: str, password: bytes, now: datetime) -> bytes:
    """A fresh P-256 key, encrypted under `password`, and a certificate that it signs for itself, both in PEM.

    `host`: the name or IP address in the certificate. It has no end (RFC 5280, 4.1.2.5): the ledger says which one
    counts. Raises `Invalid` for a name that no certificate can have.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, COMMON_NAME)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(WITHOUT_END)
        .add_extension(x509.SubjectAlternativeName([_alternative(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(USES), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    kept = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    return kept + certificate.public_bytes(serialization.Encoding.PEM)


def tls_fingerprint(file: bytes) -> bytes:
    """SHA-256 of the certificate (DER) in what `make_tls_file` gave. Raises `Corrupt` if there is none in it."""
    try:
        certificate = x509.load_pem_x509_certificate(file)
    except ValueError:
        raise Corrupt("expected a TLS certificate in PEM, got other bytes; make the node's certificate anew") from None
    return sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()


def signed_with(certificate: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` (ECDSA on P-256, SHA-256, DER) is under `message`, by the key that a certificate (DER) is about."""
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return True


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError:
        raise Invalid("expected a host's name in plain letters for a TLS certificate; give its ASCII form") from None
