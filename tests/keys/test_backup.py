import stat
from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.keys.backup import FORMAT, PURPOSE, backup, restore
from marketplace.keys.keystore import Purpose, create_key, open_key
from marketplace.keys.ledger import create_ledger_key, open_ledger_key
from marketplace.keys.passphrase import ScryptCost, encrypt

CHEAP = ScryptCost(n=2)
PHRASE = "backup phrase"
SEED, KEY = b"s" * 32, b"\x01" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    create_key(folder / "seed.json", SEED, "one", purpose=Purpose.SEALING_SEED, cost=CHEAP)
    create_ledger_key(folder / "ledger.json", KEY, "two", cost=CHEAP)
    return folder


@pytest.fixture
def archive(folder: Path, tmp_path: Path) -> Path:
    archive = tmp_path / "backup.json"
    assert backup(folder, archive, PHRASE, cost=CHEAP) == ("ledger.json", "seed.json")
    return archive


def archive_of(files: str, path: Path) -> Path:
    path.write_bytes(encrypt(files.encode(), PHRASE, format_name=FORMAT, purpose=PURPOSE, cost=CHEAP))
    return path


def test_every_key_comes_back_under_its_own_passphrase(archive: Path, tmp_path: Path) -> None:
    new = tmp_path / "a" / "b"
    assert restore(archive, new, PHRASE) == ("ledger.json", "seed.json")
    assert open_key(new / "seed.json", "one", purpose=Purpose.SEALING_SEED) == SEED
    assert open_ledger_key(new / "ledger.json", "two") == KEY


def test_what_is_restored_only_the_owner_may_read(archive: Path, tmp_path: Path) -> None:
    restore(archive, tmp_path / "new", PHRASE)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()} == {0o600}
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600


def test_restoring_twice_is_restoring_once(archive: Path, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert restore(archive, folder, PHRASE) == ("ledger.json", "seed.json")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_only_what_is_missing_is_written(archive: Path, folder: Path) -> None:
    (folder / "ledger.json").unlink()
    restore(archive, folder, PHRASE)
    assert open_ledger_key(folder / "ledger.json", "two") == KEY


def test_a_different_key_is_never_overwritten_and_nothing_else_is_written(archive: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    create_key(other / "seed.json", bytes(32), "one", purpose=Purpose.SEALING_SEED, cost=CHEAP)
    with pytest.raises(Refused, match=r"different file is already at .*seed\.json"):
        restore(archive, other, PHRASE)
    assert [path.name for path in other.iterdir()] == ["seed.json"]
    assert open_key(other / "seed.json", "one", purpose=Purpose.SEALING_SEED) == bytes(32)


def test_a_wrong_passphrase_is_refused(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="passphrase is wrong"):
        restore(archive, tmp_path / "new", "other")
    assert not (tmp_path / "new").exists()


def test_a_backup_is_never_overwritten(archive: Path, folder: Path) -> None:
    with pytest.raises(Refused, match="never overwritten"):
        backup(folder, archive, PHRASE, cost=CHEAP)


def test_a_damaged_backup_is_corrupt(archive: Path, tmp_path: Path) -> None:
    whole = bytearray(archive.read_bytes())
    whole[len(whole) // 2] ^= 1
    archive.write_bytes(whole)
    with pytest.raises(Corrupt, match="is damaged"):
        restore(archive, tmp_path / "new", PHRASE)


def test_a_keystore_is_no_backup(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="Expected the format agora/backup/1, found agora/keystore/1"):
        restore(folder / "seed.json", tmp_path / "new", "one")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/b", ".hidden", "..", "", "a\\\\b", "a\\u0000b"])
def test_a_backup_that_names_a_file_outside_is_corrupt(tmp_path: Path, name: str) -> None:
    archive = archive_of(f'{{"{name}": "aaaa"}}', tmp_path / "evil.json")
    with pytest.raises(Corrupt, match="outside the folder"):
        restore(archive, tmp_path / "new", PHRASE)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("files", ["", "[]", '{"a": 1}', '{"a": "?"}', '{"a": null}'])
def test_a_backup_of_something_else_is_corrupt(tmp_path: Path, files: str) -> None:
    with pytest.raises(Corrupt, match="does not hold key files"):
        restore(archive_of(files, tmp_path / "odd.json"), tmp_path / "new", PHRASE)


def test_a_missing_or_empty_folder_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no folder"):
        backup(tmp_path / "none", tmp_path / "backup.json", PHRASE, cost=CHEAP)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".DS_Store").touch()
    with pytest.raises(Invalid, match="holds no key files"):
        backup(tmp_path / "empty", tmp_path / "backup.json", PHRASE, cost=CHEAP)


def test_a_folder_with_more_than_files_is_invalid(folder: Path, tmp_path: Path) -> None:
    (folder / "more").mkdir()
    with pytest.raises(Invalid, match="holds more, which is no file"):
        backup(folder, tmp_path / "backup.json", PHRASE, cost=CHEAP)
    assert not (tmp_path / "backup.json").exists()


def test_a_backup_that_would_be_too_long_to_restore_is_invalid(folder: Path, tmp_path: Path) -> None:
    (folder / "film.mp4").write_bytes(bytes(9 * 2**20))
    with pytest.raises(Invalid, match="at most"):
        backup(folder, tmp_path / "backup.json", PHRASE, cost=CHEAP)


def test_a_missing_backup_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no key file at"):
        restore(tmp_path / "none.json", tmp_path / "new", PHRASE)


def test_a_file_in_place_of_the_folder_is_refused(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused):
        restore(archive, tmp_path / "file", PHRASE)
