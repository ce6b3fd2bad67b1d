import json
import stat
from pathlib import Path

import pytest
from eth_account import Account
from eth_keyfile.keyfile import create_keyfile_json

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.keys.ledger import CURVE_ORDER, create_ledger_key, open_ledger_key
from marketplace.keys.passphrase import ScryptCost

CHEAP = ScryptCost(n=2)
KEY = b"\x01" * 32
PHRASE = "correct horse"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.json"
    create_ledger_key(path, KEY, PHRASE, cost=CHEAP)
    return path


def change(path: Path, *where: str, to: object) -> None:
    fields = json.loads(path.read_bytes())
    inside = fields
    for name in where[:-1]:
        inside = inside[name]
    inside[where[-1]] = to
    path.write_text(json.dumps(fields))


def test_a_ledger_key_comes_back_under_its_passphrase(path: Path) -> None:
    assert open_ledger_key(path, PHRASE) == KEY


def test_a_wallet_reads_the_file(path: Path) -> None:
    assert bytes(Account.decrypt(json.loads(path.read_text()), PHRASE)) == KEY


@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
def test_a_file_of_another_wallet_opens(tmp_path: Path, kdf: str) -> None:
    fields = create_keyfile_json(KEY, PHRASE.encode(), kdf=kdf, iterations=2)  # type: ignore[arg-type]
    fields["Crypto"] = fields.pop("crypto")
    (tmp_path / "other.json").write_text(json.dumps(fields))
    assert open_ledger_key(tmp_path / "other.json", PHRASE) == KEY


def test_a_file_without_an_address_opens(path: Path) -> None:
    fields = json.loads(path.read_bytes())
    del fields["address"]
    path.write_text(json.dumps(fields))
    assert open_ledger_key(path, PHRASE) == KEY


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_ledger_key_is_never_overwritten(path: Path) -> None:
    with pytest.raises(Refused, match="never overwritten"):
        create_ledger_key(path, b"\x02" * 32, PHRASE, cost=CHEAP)
    assert open_ledger_key(path, PHRASE) == KEY


def test_a_wrong_passphrase_is_refused(path: Path) -> None:
    with pytest.raises(Refused, match="The passphrase is wrong, or the file is damaged"):
        open_ledger_key(path, "incorrect horse")


def test_an_empty_passphrase_is_invalid(path: Path) -> None:
    with pytest.raises(Invalid, match="empty"):
        open_ledger_key(path, "")
    with pytest.raises(Invalid, match="empty"):
        create_ledger_key(path.with_name("new.json"), KEY, "", cost=CHEAP)


@pytest.mark.parametrize(
    "key", [b"", bytes(31), bytes(32), CURVE_ORDER.to_bytes(32, "big"), b"\xff" * 32, "x" * 32], ids=str
)
def test_bytes_that_are_no_private_key_are_invalid(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(Invalid, match="A ledger key must be 32 bytes"):
        create_ledger_key(tmp_path / "new.json", key, PHRASE, cost=CHEAP)


def test_a_cost_that_the_format_cannot_hold_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="r = 8 and p = 1"):
        create_ledger_key(tmp_path / "new.json", KEY, PHRASE, cost=ScryptCost(n=2, r=4))


def test_a_missing_file_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no key file"):
        open_ledger_key(tmp_path / "none.json", PHRASE)


def test_an_altered_counter_is_corrupt_though_the_format_does_not_authenticate_it(path: Path) -> None:
    change(path, "crypto", "cipherparams", "iv", to="00" * 16)
    with pytest.raises(Corrupt, match="is damaged"):
        open_ledger_key(path, PHRASE)


@pytest.mark.parametrize(
    ("where", "to"),
    [
        (("version",), 4),
        (("crypto",), None),
        (("crypto", "cipher"), "rot13"),
        (("crypto", "kdf"), "none"),
        (("crypto", "kdf"), "pbkdf2"),
        (("crypto", "kdfparams"), {}),
        (("crypto", "kdfparams", "n"), 2**40),
        (("crypto", "kdfparams", "n"), "2"),
        (("crypto", "kdfparams", "dklen"), 10**12),
        (("crypto", "kdfparams", "salt"), ""),
        (("crypto", "mac"), "not hexadecimal"),
        (("crypto", "ciphertext"), ""),
        (("crypto", "cipherparams"), {}),
        (("address",), "00" * 20),
    ],
    ids=str,
)
def test_a_file_with_an_impossible_field_is_corrupt(path: Path, where: tuple[str, ...], to: object) -> None:
    change(path, *where, to=to)
    with pytest.raises(Corrupt, match="is damaged"):
        open_ledger_key(path, PHRASE)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"{}", b"[" * 100_000])
def test_a_file_of_another_kind_is_corrupt(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(Corrupt, match="is damaged"):
        open_ledger_key(path, PHRASE)


def test_a_pbkdf2_file_of_endless_rounds_is_corrupt(tmp_path: Path) -> None:
    fields = create_keyfile_json(KEY, PHRASE.encode(), kdf="pbkdf2", iterations=2)
    fields["crypto"]["kdfparams"]["c"] = 10**12
    (tmp_path / "other.json").write_text(json.dumps(fields))
    with pytest.raises(Corrupt, match="is damaged"):
        open_ledger_key(tmp_path / "other.json", PHRASE)
