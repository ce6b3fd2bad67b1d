"""The write-ahead rho account."""

import multiprocessing
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from node.vault.account import Account, Debit
from node.vault.database import FILE, connect, transaction
from tests.vault.examples import ORDER, OTHER_ORDER

DATASET = bytes([7]) * 32
OTHER_DATASET = bytes([8]) * 32


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path)
    yield connection
    connection.close()


@pytest.fixture
def account(connection: sqlite3.Connection) -> Account:
    account = Account(connection)
    account.raise_total(DATASET, 100)
    return account


def test_a_debit_is_an_entry_for_ever(account: Account, tmp_path: Path) -> None:
    account.debit(ORDER, DATASET, 60)
    account.debit(OTHER_ORDER, DATASET, 40)
    again = Account(connect(tmp_path))
    assert again.entries() == (Debit(ORDER, DATASET, 60), Debit(OTHER_ORDER, DATASET, 40))
    assert (again.total(DATASET), again.spent(DATASET)) == (100, 100)


def test_the_same_debit_again_is_none(account: Account) -> None:
    account.debit(ORDER, DATASET, 60)
    account.debit(ORDER, DATASET, 60)
    assert account.spent(DATASET) == 60
    assert len(account.entries()) == 1


def test_the_same_debit_again_is_none_even_when_nothing_is_left(account: Account) -> None:
    account.debit(ORDER, DATASET, 100)
    account.debit(ORDER, DATASET, 100)
    assert account.spent(DATASET) == 100


def test_another_rho_for_the_same_order_is_refused(account: Account) -> None:
    account.debit(ORDER, DATASET, 60)
    for rho_micro in (59, 61):
        with pytest.raises(Refused, match="60 micro-rho that this order took before"):
            account.debit(ORDER, DATASET, rho_micro)
    assert account.spent(DATASET) == 60


def test_more_than_the_total_is_refused_and_takes_nothing(account: Account) -> None:
    account.debit(ORDER, DATASET, 60)
    with pytest.raises(Refused, match="within the 40 micro-rho left, got 41"):
        account.debit(OTHER_ORDER, DATASET, 41)
    assert not account.touched(OTHER_ORDER, DATASET)
    account.raise_total(DATASET, 101)
    account.debit(OTHER_ORDER, DATASET, 41)
    assert account.spent(DATASET) == 101


def test_a_dataset_without_a_total_gives_nothing(account: Account) -> None:
    with pytest.raises(Refused, match="within the 0 micro-rho left"):
        account.debit(ORDER, OTHER_DATASET, 1)


def test_an_order_may_take_from_several_datasets(account: Account) -> None:
    account.raise_total(OTHER_DATASET, 5)
    account.debit(ORDER, DATASET, 60)
    account.debit(ORDER, OTHER_DATASET, 5)
    assert (account.spent(DATASET), account.spent(OTHER_DATASET)) == (60, 5)


def test_a_total_only_grows(account: Account) -> None:
    account.raise_total(DATASET, 100)
    account.raise_total(DATASET, 150)
    with pytest.raises(Refused, match="at least 150 micro-rho, got 149"):
        account.raise_total(DATASET, 149)
    assert account.total(DATASET) == 150


def test_touched_says_whether_the_order_may_have_seen_records_of_that_dataset(account: Account) -> None:
    assert not account.touched(ORDER, DATASET)
    account.debit(ORDER, DATASET, 1)
    assert account.touched(ORDER, DATASET)
    assert not account.touched(ORDER, OTHER_DATASET)
    assert not account.touched(OTHER_ORDER, DATASET)


@pytest.mark.parametrize("rho", [0, -1, True, 1.0, 2**53, None])
def test_what_is_no_rho_is_invalid(account: Account, rho: int) -> None:
    with pytest.raises(Invalid, match="1 micro-rho or more"):
        account.debit(ORDER, DATASET, rho)
    with pytest.raises(Invalid):
        account.raise_total(DATASET, rho)


def test_what_is_no_id_is_invalid(account: Account) -> None:
    with pytest.raises(Invalid, match="32 bytes, got 3"):
        account.debit(b"abc", DATASET, 1)
    with pytest.raises(Invalid, match="32 bytes, got 3"):
        account.debit(ORDER, b"abc", 1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE debit SET rho_micro = 1",
        "DELETE FROM debit",
        "INSERT OR REPLACE INTO debit (order_id, dataset, rho_micro) SELECT order_id, dataset, 1 FROM debit",
        "INSERT OR REPLACE INTO debit (sequence, order_id, dataset, rho_micro) SELECT sequence, x'01', dataset, 1 FROM debit",
        "INSERT INTO debit (order_id, dataset, rho_micro) SELECT x'01', dataset, 41 FROM debit",
        "INSERT INTO debit (order_id, dataset, rho_micro) SELECT x'01', dataset, -60 FROM debit",
        "UPDATE total SET total_micro = 1000",
        "DELETE FROM total",
        "INSERT OR REPLACE INTO total (sequence, dataset, total_micro) SELECT sequence, dataset, 1 FROM total",
        "INSERT INTO total (dataset, total_micro) SELECT dataset, 99 FROM total",
    ],
)
def test_the_database_itself_forbids_to_change_or_lower_an_entry(
    account: Account, connection: sqlite3.Connection, statement: str
) -> None:
    account.debit(ORDER, DATASET, 60)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    assert account.entries() == (Debit(ORDER, DATASET, 60),)
    assert account.total(DATASET) == 100


def test_a_debit_is_written_ahead_and_flushed_at_each_commit(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_the_account_is_for_its_owner_only(connection: sqlite3.Connection, tmp_path: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def _debit_many(folder: Path, first: int, results: "multiprocessing.Queue[int]") -> None:
    account = Account(connect(folder))
    account.raise_total(DATASET, 100)
    done = 0
    for number in range(first, first + 30):
        try:
            account.debit(number.to_bytes(32, "big"), DATASET, 3)
            done += 1
        except Refused:
            pass
    results.put(done)


def test_processes_at_once_never_exceed_the_total_together(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = spawn.Queue()
    children = [spawn.Process(target=_debit_many, args=(tmp_path, first, results)) for first in (0, 1_000, 0)]
    for child in children:
        child.start()
    said = [results.get(timeout=600) for _ in children]
    for child in children:
        child.join()
    account = Account(connect(tmp_path))
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert account.spent(DATASET) == 99
    assert len(account.entries()) == 33
    assert sum(said) >= 33


def test_a_damaged_or_foreign_file_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"hushhush" * 1000)
    with pytest.raises(Corrupt, match="restore it from its backup") as caught:
        connect(tmp_path)
    assert "hushhush" not in str(caught.value)


def test_a_later_format_is_named(tmp_path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA user_version = 9")
    with pytest.raises(Corrupt, match="expected a vault of format 5, got format 9"):
        connect(tmp_path)


def test_a_folder_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="check the folder"):
        connect(tmp_path / "absent")


# ------------------------------------------------------------------------------------------------------ exact orders


def test_without_an_allowance_there_is_no_exact_order(account: Account) -> None:
    assert account.exact_left(DATASET) == 0
    with pytest.raises(Refused, match="expected an allowance of exact orders, none is left"):
        account.take_exact(ORDER, DATASET)
    assert not account.touched(ORDER, DATASET)


def test_an_exact_order_takes_one_of_the_allowance_once_and_no_rho(account: Account, tmp_path: Path) -> None:
    account.set_allowance(DATASET, 1)
    for _ in range(2):
        account.take_exact(ORDER, DATASET)
    again = Account(connect(tmp_path))
    assert (again.exact_left(DATASET), again.spent(DATASET), again.entries()) == (0, 0, ())
    assert again.touched(ORDER, DATASET) and not again.touched(ORDER, OTHER_DATASET)
    with pytest.raises(Refused, match="none is left"):
        again.take_exact(OTHER_ORDER, DATASET)


def test_the_newest_allowance_counts_and_what_was_taken_stays_taken(account: Account) -> None:
    account.set_allowance(DATASET, 1)
    account.take_exact(ORDER, DATASET)
    account.set_allowance(DATASET, 3)
    assert (account.exact_left(DATASET), account.exact_left(OTHER_DATASET)) == (2, 0)
    account.set_allowance(DATASET, 0)
    assert account.exact_left(DATASET) == 0


@pytest.mark.parametrize("exact_total", [-1, 2**32, True, 1.0])
def test_what_is_no_number_of_orders_is_no_allowance(account: Account, exact_total: object) -> None:
    with pytest.raises(Invalid, match="expected an allowance"):
        account.set_allowance(DATASET, exact_total)  # type: ignore[arg-type]


def test_the_database_itself_keeps_exact_orders_within_the_allowance(
    account: Account, connection: sqlite3.Connection
) -> None:
    account.set_allowance(DATASET, 1)
    account.take_exact(ORDER, DATASET)
    with pytest.raises(Corrupt), transaction(connection):
        connection.execute("INSERT INTO exact_draw (order_id, dataset) VALUES (?, ?)", (OTHER_ORDER, DATASET))
    with pytest.raises(sqlite3.DatabaseError, match="only added"):
        connection.execute("DELETE FROM exact_draw")
