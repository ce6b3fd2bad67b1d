from datetime import UTC, datetime
from hashlib import sha256
from ssl import PEM_cert_to_DER_cert

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from marketplace.errors import Corrupt, Invalid
from marketplace.keys.tls import make_tls_file, tls_fingerprint, tls_password

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PASSWORD = tls_password(bytes(32))


@pytest.mark.parametrize("host", ["node.example", "127.0.0.1", "::1"])
def test_the_certificate_is_for_its_host_and_signed_by_its_own_key(host: str) -> None:
    file = make_tls_file(host, PASSWORD, NOW)
    certificate = x509.load_pem_x509_certificate(file)
    key = load_pem_private_key(file, PASSWORD)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == [host]
    assert certificate.not_valid_before_utc < NOW
    assert certificate.not_valid_after_utc.year == 9999


def test_the_fingerprint_is_the_hash_of_its_der() -> None:
    file = make_tls_file("node.example", PASSWORD, NOW)
    pem = file[file.index(b"-----BEGIN CERTIFICATE") :].decode()
    assert tls_fingerprint(file) == sha256(PEM_cert_to_DER_cert(pem)).digest()


def test_no_two_are_alike() -> None:
    assert len({tls_fingerprint(make_tls_file("node.example", PASSWORD, NOW)) for _ in range(3)}) == 3


def test_the_key_opens_under_the_password_of_its_storage_key_alone() -> None:
    file = make_tls_file("node.example", PASSWORD, NOW)
    for other in (tls_password(b"\x01" * 32), bytes(32), b"x"):
        assert other != PASSWORD
        with pytest.raises(ValueError, match="ncorrect password"):
            load_pem_private_key(file, other)
    assert bytes(32).hex().encode() != PASSWORD


@pytest.mark.parametrize("file", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"])
def test_bytes_without_a_certificate_are_corrupt(file: bytes) -> None:
    with pytest.raises(Corrupt, match="make the node's certificate anew"):
        tls_fingerprint(file)


def test_a_name_that_no_certificate_can_have_is_invalid() -> None:
    with pytest.raises(Invalid, match="its ASCII form"):
        make_tls_file("nöde.example", PASSWORD, NOW)
