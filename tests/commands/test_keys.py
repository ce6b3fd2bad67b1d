"""`agora keys`, and how passphrases come in."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from marketplace.commands.keys import make_keys
from marketplace.commands.session import LEDGER_KEY, SEALING_SEED
from marketplace.keys.keystore import Purpose, open_key
from marketplace.keys.ledger import open_ledger_key
from marketplace.ledger.signer import LocalSigner
from tests.commands.market import AGORA, PASSPHRASE, Buyer, environment


@pytest.fixture
def empty(buyer: Buyer) -> Buyer:
    """A buyer without keys yet."""
    for path in (buyer.home / "keys").iterdir():
        path.unlink()
    return buyer


def test_keys_are_made_backed_up_lost_and_restored(empty: Buyer, tmp_path: Path) -> None:
    made = empty.agora("keys", "create", "--json").json()
    keys, copy = empty.home / "keys", tmp_path / "backup.json"
    assert LocalSigner(open_ledger_key(keys / LEDGER_KEY, PASSPHRASE)).address == made["address"]
    seed = open_key(keys / SEALING_SEED, PASSPHRASE, purpose=Purpose.SEALING_SEED)
    assert keys.stat().st_mode & 0o077 == 0

    shown = empty.agora("keys", "backup", str(copy), "--json").json()
    assert shown == {"backed_up": [LEDGER_KEY, SEALING_SEED]}
    for path in keys.iterdir():
        path.unlink()
    assert empty.agora("keys", "restore", str(copy), "--json").json() == {"restored": [LEDGER_KEY, SEALING_SEED]}
    assert open_key(keys / SEALING_SEED, PASSPHRASE, purpose=Purpose.SEALING_SEED) == seed


def test_keys_are_never_overwritten(buyer: Buyer, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in (buyer.home / "keys").iterdir()}
    again = buyer.agora("keys", "create")
    assert again.code == 3
    assert "never overwritten" in again.error()
    assert buyer.agora("keys", "backup", str(tmp_path / "backup.json")).code == 0
    (buyer.home / "keys" / LEDGER_KEY).write_text("another")
    restored = buyer.agora("keys", "restore", str(tmp_path / "backup.json"))
    assert restored.code == 3
    (buyer.home / "keys" / LEDGER_KEY).write_bytes(before[LEDGER_KEY])
    assert {path.name: path.read_bytes() for path in (buyer.home / "keys").iterdir()} == before


def test_making_keys_that_was_killed_half_way_can_be_done_again(empty: Buyer) -> None:
    left = empty.home / "keys.part"
    left.mkdir()
    (left / SEALING_SEED).write_text("half")
    make_keys(empty.home / "keys", PASSPHRASE)
    assert {path.name for path in (empty.home / "keys").iterdir()} == {LEDGER_KEY, SEALING_SEED}
    assert not left.exists()


def test_a_backup_never_replaces_a_file(buyer: Buyer, tmp_path: Path) -> None:
    (tmp_path / "backup.json").write_text("mine")
    ran = buyer.agora("keys", "backup", str(tmp_path / "backup.json"))
    assert ran.code == 3
    assert (tmp_path / "backup.json").read_text() == "mine"


def test_a_wallet_without_keys_says_so(empty: Buyer) -> None:
    ran = empty.agora("buy", empty.market.offer.id.hex(), "--yes")
    assert ran.code == 2
    assert "key file" in ran.err
    assert empty.agora("keys", "backup", str(empty.home / "copy")).code == 2


def test_a_wrong_passphrase_is_refused_and_not_shown(buyer: Buyer, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("certainly not this one")
    ran = buyer.agora("buy", buyer.market.offer.id.hex(), "--yes", AGORA_PASSPHRASE_FILE=str(wrong))
    assert ran.code == 3
    assert "passphrase is wrong" in ran.err
    assert "certainly" not in ran.err


def test_a_damaged_key_file_is_corrupt(buyer: Buyer) -> None:
    (buyer.home / "keys" / SEALING_SEED).write_text("{}")
    ran = buyer.agora("buy", buyer.market.offer.id.hex(), "--yes")
    assert ran.code == 4


@pytest.mark.parametrize(("content", "words"), [(b"", "an empty one"), (b"\n", "an empty one"), (b"\xff", "read it")])
def test_a_passphrase_file_that_holds_none_is_invalid(buyer: Buyer, content: bytes, words: str) -> None:
    (buyer.home / "passphrase").write_bytes(content)
    ran = buyer.agora("settle", "ab" * 32)
    assert ran.code == 2
    assert words in ran.error()


def test_a_passphrase_file_that_is_not_there_is_invalid(buyer: Buyer) -> None:
    ran = buyer.agora("settle", "ab" * 32, AGORA_PASSPHRASE_FILE="/nowhere/at/all")
    assert ran.code == 2
    assert "/nowhere" not in ran.error()


def test_without_keyboard_and_without_file_there_is_no_passphrase(buyer: Buyer) -> None:
    done = subprocess.run(
        [AGORA, "settle", "ab" * 32],
        env=environment({"AGORA_HOME": str(buyer.home)}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "AGORA_PASSPHRASE_FILE" in done.stderr
    assert "Traceback" not in done.stderr


def type_into(buyer: Buyer, arguments: list[str], *typed: bytes) -> tuple[int, bytes, str]:
    """Runs `agora` before a keyboard and types what it asks for. Gives code, standard output, what stood on the screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [AGORA, *arguments],
        env=environment({"AGORA_HOME": str(buyer.home)}),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = b""
    for line in typed:
        while not screen.rstrip().endswith((b":", b"[y/N]:")):
            screen += os.read(ours, 4_096)
        os.write(ours, line + b"\n")
        screen += b"\n-"
    out, _ = process.communicate(timeout=300)
    while True:
        try:
            more = os.read(ours, 4_096)
        except OSError:
            break
        if not more:
            break
        screen += more
    os.close(ours)
    return process.returncode, out, screen.decode()


def test_before_a_keyboard_the_passphrase_is_asked_for_unseen_and_the_order_needs_a_yes(buyer: Buyer) -> None:
    command = ["buy", buyer.market.offer.id.hex(), "--rows", "5", "--json"]
    code, out, screen = type_into(buyer, command, PASSPHRASE.encode(), b"n")
    assert (code, out) == (2, b"")
    assert "the order was not placed; no money moved" in screen
    assert PASSPHRASE not in screen
    code, out, screen = type_into(buyer, command, PASSPHRASE.encode(), b"y")
    assert code == 0, screen
    assert json.loads(out)["order"] in screen
    assert PASSPHRASE not in screen


def test_two_different_new_passphrases_make_no_keys(empty: Buyer) -> None:
    code, out, screen = type_into(empty, ["keys", "create"], b"one passphrase", b"another")
    assert (code, out) == (2, b"")
    assert "the same passphrase twice" in screen
    assert list((empty.home / "keys").iterdir()) == []


def test_no_answer_at_all_is_no_traceback(buyer: Buyer) -> None:
    code, _, screen = type_into(buyer, ["settle", "ab" * 32], b"\x04")
    assert code == 2
    assert "Traceback" not in screen
