"""A vault knows over whom exact analyses were answered, for ever, and refuses what differs from them by a few persons."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from marketplace.errors import Corrupt, Refused
from marketplace.protocol.exactness import ExactQuestion
from node.vault.account import Account
from node.vault.cohorts import Cohorts
from node.vault.database import connect

DATASET, OTHER = b"d" * 32, b"e" * 32
PERSONS = np.arange(200, dtype=np.uint64).reshape(100, 2)


@pytest.fixture
def connection(tmp_path: Path) -> sqlite3.Connection:
    made = connect(tmp_path)
    account = Account(made)
    for dataset in (DATASET, OTHER):
        account.set_allowance(dataset, 10)
        for order in range(5):
            account.take_exact(bytes([order]) * 32, dataset)
    return made


STAGES = ExactQuestion(frozenset({"stage"}), b"a" * 32)
BY_SEX = ExactQuestion(frozenset({"time", "event", "sex"}), b"b" * 32)
BY_STAGE = ExactQuestion(frozenset({"time", "event", "stage"}), b"c" * 32)


def entered(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM cohort").fetchone()[0])


@pytest.mark.parametrize("other", [PERSONS[1:], PERSONS[:91], np.vstack([PERSONS, PERSONS[:1] + 1000]), PERSONS[5:]])
def test_a_cohort_that_differs_by_one_to_nine_persons_is_refused_and_not_written_down(
    connection: sqlite3.Connection, other: np.ndarray
) -> None:
    cohorts = Cohorts(connection)
    cohorts.enter(b"\0" * 32, DATASET, PERSONS, 10)
    with pytest.raises(Refused, match="differs from all earlier ones"):
        cohorts.enter(b"\1" * 32, DATASET, other, 10)
    assert entered(connection) == 1
    cohorts.enter(b"\1" * 32, OTHER, other, 10)


def test_the_same_persons_in_another_order_and_more_often_are_the_same_cohort(connection: sqlite3.Connection) -> None:
    cohorts = Cohorts(connection)
    cohorts.enter(b"\0" * 32, DATASET, PERSONS, 10)
    cohorts.enter(b"\1" * 32, DATASET, np.vstack([PERSONS[::-1], PERSONS]), 10)
    cohorts.enter(b"\2" * 32, DATASET, PERSONS[:90], 10)
    cohorts.enter(b"\3" * 32, DATASET, PERSONS[:0], 10)
    assert entered(connection) == 4
    with pytest.raises(Refused):
        cohorts.enter(b"\4" * 32, DATASET, PERSONS[:89], 10)


def test_cohorts_outlive_the_program_and_are_only_added_to(connection: sqlite3.Connection, tmp_path: Path) -> None:
    Cohorts(connection).enter(b"\0" * 32, DATASET, PERSONS, 10)
    connection.close()
    again = connect(tmp_path)
    with pytest.raises(Refused):
        Cohorts(again).enter(b"\1" * 32, DATASET, PERSONS[1:], 10)
    with pytest.raises(Corrupt):
        Cohorts(again).enter(b"\0" * 32, DATASET, PERSONS, 10)
    for statement in ("DELETE FROM cohort", "UPDATE cohort SET persons = x''"):
        with pytest.raises(sqlite3.IntegrityError, match="only added"):
            again.execute(statement)


def test_a_second_question_about_a_column_of_some_of_the_same_persons_is_refused(
    connection: sqlite3.Connection,
) -> None:
    cohorts = Cohorts(connection)
    cohorts.enter(b"\0" * 32, DATASET, PERSONS, 10, BY_SEX)
    for persons, question in ((PERSONS, BY_STAGE), (PERSONS[:50], BY_SEX), (PERSONS[:50], BY_STAGE)):
        with pytest.raises(Refused, match="closed cells could follow from both"):
            cohorts.enter(b"\1" * 32, DATASET, persons, 10, question)
    assert entered(connection) == 1
    connection.close()


def test_the_same_question_other_columns_and_other_persons_go_together(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    Cohorts(connection).enter(b"\0" * 32, DATASET, PERSONS[:50], 10, BY_SEX)
    connection.close()
    again = Cohorts(connect(tmp_path))
    again.enter(b"\1" * 32, DATASET, PERSONS[:50], 10, BY_SEX)
    again.enter(b"\2" * 32, DATASET, PERSONS[50:], 10, BY_SEX)
    again.enter(b"\3" * 32, DATASET, PERSONS, 10, STAGES)
    with pytest.raises(Refused, match="closed cells could follow from both"):
        again.enter(b"\4" * 32, DATASET, PERSONS, 10, BY_SEX)


def test_questions_about_public_records_are_free(connection: sqlite3.Connection) -> None:
    cohorts = Cohorts(connection)
    cohorts.enter(b"\0" * 32, DATASET, PERSONS, 1, None)
    cohorts.enter(b"\1" * 32, DATASET, PERSONS[:50], 1, None)
    cohorts.enter(b"\2" * 32, DATASET, PERSONS, 10, BY_SEX)
    assert entered(connection) == 3
