"""The keys under which identifiers are kept: one for each dataset, for its owner only, destroyed on demand."""

import stat
from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Unreachable
from marketplace.keys.backup import backup
from marketplace.keys.passphrase import ScryptCost
from marketplace.keys.secretbox import SecretBox
from node.home import KEYS, ROSTER_KEYS
from node.roster_keys import RosterKeys, fresh_key
from tests.node.hospital import Hospital, document, listing

ONE, OTHER = b"\1" * 32, b"\2" * 32
STORAGE_KEY = bytes(range(32))


def keys(folder: Path, storage_key: bytes = STORAGE_KEY) -> RosterKeys:
    return RosterKeys(folder / ROSTER_KEYS, SecretBox(storage_key))


def test_a_key_is_kept_for_its_dataset_alone_and_nowhere_in_the_clear(tmp_path: Path) -> None:
    made, key = keys(tmp_path), fresh_key()
    made.keep(ONE, key)
    assert made.has(ONE) and not made.has(OTHER)
    assert keys(tmp_path).open(ONE) == key
    (path,) = (tmp_path / ROSTER_KEYS).iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key not in path.read_bytes()
    path.rename(path.with_name(OTHER.hex() + ".key"))
    with pytest.raises(Corrupt):
        made.open(OTHER)


def test_another_storage_key_does_not_open_it(tmp_path: Path) -> None:
    keys(tmp_path).keep(ONE, fresh_key())
    with pytest.raises(Corrupt):
        keys(tmp_path, bytes(32)).open(ONE)


def test_a_destroyed_key_is_gone_and_a_new_one_is_another(tmp_path: Path) -> None:
    made = keys(tmp_path)
    made.destroy(ONE)
    made.keep(ONE, fresh_key())
    before = made.open(ONE)
    made.destroy(ONE)
    assert not made.has(ONE) and list((tmp_path / ROSTER_KEYS).iterdir()) == []
    with pytest.raises(Unreachable):
        made.open(ONE)
    made.keep(ONE, fresh_key())
    assert made.open(ONE) != before


def test_identifiers_are_kept_on_demand_and_forgotten_on_demand_from_the_terminal(hospital: Hospital) -> None:
    folder = hospital.home / ROSTER_KEYS
    assert not folder.exists()
    added = document(
        hospital.type("dataset", "add", *listing(hospital), "--total-rho", "1000", "--keep-identifiers", "--json")
    )
    assert added["identifiers_kept"] is True
    (path,) = folder.iterdir()
    before = path.read_bytes()
    revising = ("dataset", "revise", str(added["dataset"]), *listing(hospital))
    document(hospital.type(*revising, "--keep-identifiers", "--json"))
    assert path.read_bytes() != before
    copied = backup(hospital.home / KEYS, hospital.home / "backup", "a word", cost=ScryptCost(n=2**4))
    assert copied == ("ledger-key.json", "storage-key.json")
    ended = hospital.type("dataset", "forget-identifiers", str(added["dataset"]))
    assert ended.code == 0 and ended.out.startswith("Identifiers forgotten")
    assert list(folder.iterdir()) == [] == list((hospital.home / "vault" / "identifiers").iterdir())
    document(hospital.type(*revising, "--keep-identifiers", "--json"))
    assert "Identifiers are kept, sealed" in hospital.type(*revising, "--keep-identifiers").err
    assert document(hospital.type(*revising, "--json"))["identifiers_kept"] is False
    assert list(folder.iterdir()) == [] == list((hospital.home / "vault" / "identifiers").iterdir())
