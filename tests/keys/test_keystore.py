import hashlib
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused
from marketplace.keys.keystore import Purpose, create_key, open_key
from marketplace.keys.passphrase import ScryptCost

CHEAP = ScryptCost(n=2)
SECRET = b"a very secret seed of 32 bytes.."
PHRASE = "correct horse, ünïcode"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "seed.json"


def make(path: Path, secret: bytes = SECRET, phrase: str = PHRASE) -> None:
    create_key(path, secret, phrase, purpose=Purpose.SEALING_SEED, cost=CHEAP)


def open_seed(path: Path, phrase: str = PHRASE) -> bytes:
    return open_key(path, phrase, purpose=Purpose.SEALING_SEED)


def test_a_secret_comes_back_under_its_passphrase(path: Path) -> None:
    make(path)
    assert open_seed(path) == SECRET


def test_the_default_cost_works_and_is_not_cheap(path: Path) -> None:
    create_key(path, SECRET, PHRASE, purpose=Purpose.STORAGE_KEY)
    assert json.loads(path.read_bytes())["n"] >= 2**17
    assert open_key(path, PHRASE, purpose=Purpose.STORAGE_KEY) == SECRET


def test_the_file_says_what_it_is_and_not_what_it_holds(path: Path) -> None:
    make(path)
    fields = json.loads(path.read_bytes())
    assert (fields["format"], fields["purpose"]) == ("agora/keystore/1", "sealing seed")
    assert SECRET.hex() not in path.read_text()


def test_only_the_owner_may_read_the_file_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        make(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_key_is_never_overwritten(path: Path) -> None:
    make(path)
    with pytest.raises(Refused, match="never overwritten"):
        make(path, bytes(32))
    assert open_seed(path) == SECRET
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_link_that_leads_nowhere_is_not_written_through(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")
    with pytest.raises(Refused):
        make(path)
    assert not (path.parent / "elsewhere").exists()


def test_a_wrong_passphrase_is_refused_in_a_plain_sentence(path: Path) -> None:
    make(path)
    with pytest.raises(Refused) as caught:
        open_seed(path, "incorrect horse")
    assert str(caught.value) == "The passphrase is wrong; try again."


def test_an_empty_passphrase_is_invalid(path: Path) -> None:
    with pytest.raises(Invalid, match="empty"):
        make(path, phrase="")
    assert not path.exists()
    make(path)
    with pytest.raises(Invalid, match="empty"):
        open_seed(path, "")


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33), "x" * 32])
def test_a_secret_of_another_length_is_invalid(path: Path, secret: bytes) -> None:
    with pytest.raises(Invalid, match="sealing seed must be 32 bytes"):
        make(path, secret)


def test_a_file_of_another_purpose_is_invalid_and_both_are_named(path: Path) -> None:
    make(path)
    with pytest.raises(Invalid, match="holds the storage key, found the sealing seed"):
        open_key(path, PHRASE, purpose=Purpose.STORAGE_KEY)


def test_a_file_of_another_format_is_refused_by_name(path: Path) -> None:
    path.write_text('{"format":"agora/keystore/2"}')
    with pytest.raises(Invalid, match="Expected the format agora/keystore/1, found agora/keystore/2"):
        open_seed(path)


def test_a_missing_file_is_invalid(path: Path) -> None:
    with pytest.raises(Invalid, match="no key file at"):
        open_seed(path)


def test_a_folder_in_place_of_a_file_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(Refused, match="cannot be read"):
        open_seed(path)


def test_a_missing_folder_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no folder"):
        make(tmp_path / "nowhere" / "seed.json")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot be written: Not a directory"):
        make(tmp_path / "file" / "seed.json")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_flipped_bit_anywhere_is_corrupt_and_never_a_wrong_passphrase(path: Path, data: st.DataObject) -> None:
    if not path.exists():
        make(path)
    whole = path.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8
    damaged = path.with_name("damaged.json")
    damaged.write_bytes(changed)
    with pytest.raises((Corrupt, Invalid)) as caught:
        open_seed(damaged)
    assert isinstance(caught.value, Corrupt) or "found agora/" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b"{}", b'{"format":1}', b'{"format":"other"}', b"[" * 100_000],
)
def test_a_file_of_another_kind_is_corrupt(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(Corrupt, match="is damaged"):
        open_seed(path)


def test_a_cut_file_is_corrupt(path: Path) -> None:
    make(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Corrupt, match="is damaged"):
        open_seed(path)


def test_a_huge_file_is_corrupt(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(Corrupt, match="larger than any key file"):
        open_seed(path)


@pytest.mark.parametrize(
    "changes",
    [{"n": 2**30}, {"n": 3}, {"n": "2"}, {"r": 10_000}, {"p": 0}, {"nonce": "00"}, {"salt": "zz"}, {"ciphertext": 5}],
    ids=str,
)
def test_fields_that_no_program_of_ours_writes_are_refused_before_work_is_done(
    path: Path, changes: dict[str, object]
) -> None:
    make(path)
    fields = {**json.loads(path.read_bytes()), **changes}
    del fields["sha256"]
    line = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    fields["sha256"] = hashlib.sha256(line).hexdigest()
    path.write_bytes(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())
    with pytest.raises(MarketplaceError):
        open_seed(path)


@pytest.mark.parametrize("cost", [(3, 8, 1), (0, 8, 1), (1, 8, 1), (2**24, 8, 1), (2, 0, 1), (2, 8, 17)])
def test_a_cost_that_cannot_be_borne_is_invalid(cost: tuple[int, int, int]) -> None:
    with pytest.raises(Invalid, match="power of two"):
        ScryptCost(*cost)
