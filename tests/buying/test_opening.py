"""Opening a delivery with the revealed key, and what the folder of the result then holds."""

from pathlib import Path

import pytest

from marketplace.certificate.folder import EVIDENCE, INNER
from marketplace.certificate.verification import verify, verify_against
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.protocol import result
from marketplace.protocol.order import Delivery
from marketplace.sealing import WrongChunk
from tests.buying.world import ROWS, World


def test_a_result_is_opened_whole_with_all_that_is_needed_to_check_it(world: World, tmp_path: Path) -> None:
    order, out = world.revealed(), tmp_path / "deep" / "result"
    files = world.client().open(order, out)
    assert files == {name: out / name for name in result.NAMES}
    assert {path.name for path in out.iterdir()} == {*result.NAMES, *EVIDENCE}
    assert files[result.TABLE].read_text().count("\n") == ROWS + 1
    assert verify(out).passed
    assert verify_against(out, world.client().account(), world.ledger.domain).passed


def test_opening_twice_gives_the_same(world: World, tmp_path: Path) -> None:
    order = world.revealed()
    first = world.client().open(order, tmp_path / "result")
    before = {name: path.read_bytes() for name, path in first.items()}
    again = world.client().open(order, tmp_path / "result")
    assert {name: path.read_bytes() for name, path in again.items()} == before


def test_opening_leaves_other_files_of_the_folder_alone(world: World, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    world.client().open(world.revealed(), tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_opening_before_the_reveal_is_refused_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="revealed key, the order is Accepted"):
        world.client().open(world.accepted(), tmp_path / "result")
    assert not (tmp_path / "result").exists()


def test_opening_before_the_delivery_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="expected a delivery, the order is Placed"):
        world.client().open(world.place(), tmp_path / "result")


def test_opening_what_was_not_received_is_invalid(world: World, tmp_path: Path) -> None:
    order = world.revealed()
    (world.wallet / order.hex() / INNER).unlink()
    with pytest.raises(Invalid, match="fetch the order first"):
        world.client().open(order, tmp_path / "result")


def test_a_wrong_chunk_surfaces_with_its_index_and_leaves_nothing_but_the_evidence(
    world: World, tmp_path: Path
) -> None:
    world.provider.cheats_on_chunk = 3
    order = world.revealed()
    with pytest.raises(WrongChunk, match="Chunk 3 ") as raised:
        world.client().open(order, tmp_path / "result")
    assert raised.value.index == 3
    assert not (tmp_path / "result").exists()
    assert (world.wallet / order.hex() / INNER).exists()


def test_an_inner_file_damaged_after_the_check_is_corrupt_until_it_is_fetched_again(
    world: World, tmp_path: Path
) -> None:
    order = world.revealed()
    inner = world.wallet / order.hex() / INNER
    data = inner.read_bytes()
    inner.write_bytes(data[:2_000] + bytes([data[2_000] ^ 1]) + data[2_001:])
    with pytest.raises(Corrupt, match="fetch the object again") as raised:
        world.client().open(order, tmp_path / "result")
    assert not isinstance(raised.value, WrongChunk)
    world.client().receive(order)
    assert world.client().open(order, tmp_path / "result")


def test_what_a_killed_opening_left_is_cleared_away(world: World, tmp_path: Path) -> None:
    order, out = world.revealed(), tmp_path / "result"
    (out / ".opening").mkdir(parents=True)
    (out / ".opening" / "result.tar").write_bytes(b"half of it")
    world.client().open(order, out)
    assert {path.name for path in out.iterdir()} == {*result.NAMES, *EVIDENCE}


def test_a_file_in_the_place_of_the_folder_is_invalid_and_stays(world: World, tmp_path: Path) -> None:
    (tmp_path / "result").write_text("mine")
    with pytest.raises(Invalid, match="found a file at 'result'"):
        world.client().open(world.revealed(), tmp_path / "result")
    assert (tmp_path / "result").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_no_traceback(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises((Refused, Unreachable), match="expected"):
        world.client().open(world.revealed(), tmp_path / "file" / "result")


def test_a_full_disk_leaves_what_was_there(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order, out = world.revealed(), tmp_path / "result"
    world.client().open(order, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(Unreachable, match="No space left"):
        world.client().open(order, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_no_message_and_no_repr_shows_the_seed_or_the_key(world: World) -> None:
    client = world.client()
    assert client.seed.hex() not in repr(client)
    assert client.seed.decode() not in repr(client)


def test_a_delivery_commits_to_what_was_opened(world: World, tmp_path: Path) -> None:
    order = world.revealed()
    world.client().open(order, tmp_path / "result")
    delivery = world.client().order(order).delivery
    assert isinstance(delivery, Delivery)
    assert delivery.plain_root == world.client().receive(order).manifest.certificate.plain_root
