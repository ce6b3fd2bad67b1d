"""Snapshots under their commitment."""

import stat
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Unreachable
from marketplace.protocol import canonical
from marketplace.protocol.schema import Category, Number, Schema
from node.vault.snapshot import Content, coded_table, commitment_of, read, write
from tests.vault.examples import VISITS

SALT = bytes(range(32))


def content(rows: list[list[int]], person: list[int] | None = None, held_out: list[bool] | None = None) -> Content:
    codes = np.array(rows, dtype=np.int32)
    return Content(
        coded_table(codes, VISITS),
        np.array(person or range(len(rows)), dtype=np.int32),
        np.array([[7, number] for number in person or range(len(rows))], dtype=np.uint64),
        np.array(held_out or [False] * len(rows)),
    )


THREE = content([[0, 10], [1, -1], [0, 240]], held_out=[False, True, False])


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Path, bytes]:
    commitment = commitment_of(THREE, VISITS, SALT)
    write(tmp_path, commitment, THREE, SALT)
    return tmp_path, commitment


def test_a_snapshot_reads_as_it_was_written(stored: tuple[Path, bytes]) -> None:
    found = read(*stored, VISITS)
    assert found.table.equals(THREE.table)
    assert found.table.schema.types == [pa.int32(), pa.int32()]
    assert found.table.column("age").to_pylist() == [10, None, 240]
    assert found.person.tolist() == [0, 1, 2]
    assert found.held_out.tolist() == [False, True, False]


def test_a_snapshot_is_one_file_for_its_owner_only(stored: tuple[Path, bytes]) -> None:
    (path,) = stored[0].iterdir()
    assert path.name == f"{stored[1].hex()}.arrow"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_commitment_is_the_published_hash() -> None:
    numbers = lambda *codes: b"".join(code.to_bytes(4, "little", signed=True) for code in codes)  # noqa: E731
    identities = b"".join((7).to_bytes(8, "big") + number.to_bytes(8, "big") for number in range(3))
    inner = (
        (3).to_bytes(8, "big")
        + numbers(0, 1, 0)
        + numbers(10, -1, 240)
        + numbers(0, 1, 2)
        + identities
        + bytes([0, 1, 0])
    )
    declared = sha256(canonical.encode(VISITS.document())).digest()
    expected = sha256(b"agora/commitment/1" + SALT + declared + sha256(inner).digest()).digest()
    assert commitment_of(THREE, VISITS, SALT) == expected


def test_the_commitment_says_nothing_without_the_salt_and_binds_schema_rows_persons_and_sides() -> None:
    wider = Schema((VISITS.columns[0], replace(VISITS.columns[1], upper=Decimal(121))), VISITS.person, 2)
    variants = [
        commitment_of(THREE, VISITS, SALT),
        commitment_of(THREE, VISITS, bytes(32)),
        commitment_of(THREE, wider, SALT),
        commitment_of(replace(THREE, person=np.array([0, 1, 1], dtype=np.int32)), VISITS, SALT),
        commitment_of(replace(THREE, held_out=np.array([False] * 3)), VISITS, SALT),
        commitment_of(content([[0, 10], [1, 0], [0, 240]]), VISITS, SALT),
        commitment_of(content([[1, -1], [0, 10], [0, 240]]), VISITS, SALT),
        commitment_of(content([[0, 10], [1, -1]]), VISITS, SALT),
    ]
    assert len(set(variants)) == len(variants)


@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(-1, 240)), min_size=1), st.integers(0, 10))
def test_the_commitment_does_not_depend_on_how_arrow_holds_the_rows(rows: list[tuple[int, int]], cut: int) -> None:
    whole = content([list(row) for row in rows])
    parted = replace(whole, table=pa.concat_tables([whole.table.slice(0, cut), whole.table.slice(cut)]))
    assert commitment_of(parted, VISITS, SALT) == commitment_of(whole, VISITS, SALT)


@pytest.mark.parametrize("bit", [1, 8, 128])
def test_every_flipped_bit_is_corrupt_or_changes_nothing(stored: tuple[Path, bytes], bit: int) -> None:
    (path,) = stored[0].iterdir()
    whole = path.read_bytes()
    refused = 0
    for place, byte in enumerate(whole):
        path.write_bytes(whole[:place] + bytes([byte ^ bit]) + whole[place + 1 :])
        try:
            found = read(*stored, VISITS)
        except Corrupt as error:
            refused += 1
            assert "restore the vault" in str(error)
        else:
            assert found.table.equals(THREE.table)
            assert found.person.tolist() == THREE.person.tolist()
            assert found.held_out.tolist() == THREE.held_out.tolist()
    assert refused > len(whole) / 10


def test_changed_rows_in_a_whole_file_are_corrupt(stored: tuple[Path, bytes]) -> None:
    folder, commitment = stored
    write(folder, commitment, content([[0, 11], [1, -1], [0, 240]], held_out=[False, True, False]), SALT)
    with pytest.raises(Corrupt, match="got other records"):
        read(folder, commitment, VISITS)


def test_codes_below_0_in_place_of_missing_ones_are_corrupt(tmp_path: Path) -> None:
    below = pa.table({"sex": pa.array([0, 1, 0], pa.int32()), "age": pa.array([10, -1, 240], pa.int32())})
    commitment = commitment_of(THREE, VISITS, SALT)
    write(tmp_path, commitment, replace(THREE, table=below), SALT)
    with pytest.raises(Corrupt, match="codes below 0"):
        read(tmp_path, commitment, VISITS)


def test_another_schema_another_file_or_none_is_corrupt(stored: tuple[Path, bytes]) -> None:
    folder, commitment = stored
    with pytest.raises(Corrupt, match="other columns"):
        read(
            folder,
            commitment,
            Schema((Category("a", ("x",), True), Number("b", *map(Decimal, (0, 1, 1)), True)), None, 1),
        )
    (path,) = folder.iterdir()
    with pa.ipc.new_file(path, THREE.table.schema) as writer:
        writer.write_table(THREE.table)
    with pytest.raises(Corrupt, match="another format"):
        read(folder, commitment, VISITS)
    path.unlink()
    with pytest.raises(Corrupt, match="gone"):
        read(folder, commitment, VISITS)


def test_a_folder_that_is_not_there_is_said_and_can_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="No such file or directory"):
        write(tmp_path / "absent", bytes(32), THREE, SALT)
