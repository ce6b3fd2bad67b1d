"""The node's TLS certificate: made once, kept for its owner, replaced on demand."""

import os
import ssl
import stat
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Unreachable
from node.endpoint.tls import FILE, rotate_tls_file, tls_file
from tests.endpoint.wire import HOST, STORAGE_KEY, wired

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_it_is_made_at_first_need_and_stays(tmp_path: Path) -> None:
    first = tls_file(tmp_path, STORAGE_KEY, "node.example", NOW)
    data = first.path.read_bytes()
    again = tls_file(tmp_path, STORAGE_KEY, "elsewhere.example", NOW)
    assert (again, again.path.read_bytes()) == (first, data)


def test_it_is_for_its_owner_only_and_its_key_is_encrypted(tmp_path: Path) -> None:
    before = os.umask(0)
    made = tls_file(tmp_path, STORAGE_KEY, "node.example", NOW)
    os.umask(before)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    data = made.path.read_bytes()
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in data
    assert b"BEGIN PRIVATE KEY" not in data
    assert made.password.hex() not in repr(made)
    assert made.password.decode() not in repr(made)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_another_can_be_put_in_its_place(tmp_path: Path) -> None:
    first = tls_file(tmp_path, STORAGE_KEY, "node.example", NOW)
    second = rotate_tls_file(tmp_path, STORAGE_KEY, "node.example", NOW)
    assert second.fingerprint != first.fingerprint
    assert tls_file(tmp_path, STORAGE_KEY, "node.example", NOW) == second
    assert stat.S_IMODE(second.path.stat().st_mode) == 0o600


def test_its_fingerprint_is_that_of_the_certificate_that_the_endpoint_shows(tmp_path: Path) -> None:
    with wired(tmp_path, {}) as wire, wire.secure() as connection:
        shown = connection.getpeercert(binary_form=True)
        assert shown is not None
        assert tls_file(tmp_path, STORAGE_KEY, HOST, NOW).fingerprint == sha256(shown).digest()


def test_with_another_storage_key_it_does_not_open(tmp_path: Path) -> None:
    tls_file(tmp_path, STORAGE_KEY, "node.example", NOW)
    stolen = tls_file(tmp_path, b"another storage key of 32 bytes!", "node.example", NOW)
    with pytest.raises(Corrupt, match="it does not open; `agora-node endpoint rotate` makes another"):
        stolen.context()
    assert isinstance(tls_file(tmp_path, STORAGE_KEY, "node.example", NOW).context(), ssl.SSLContext)


def test_a_damaged_file_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(Corrupt, match="expected a TLS certificate in PEM"):
        tls_file(tmp_path, STORAGE_KEY, "node.example", NOW)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="No such file"):
        tls_file(tmp_path / "none", STORAGE_KEY, "node.example", NOW)
