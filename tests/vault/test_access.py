"""The access log: whoever opens records leaves a line that nobody removes."""

import sqlite3
from pathlib import Path

import pytest

from marketplace.errors import Corrupt
from node.vault.access import DAY_S, Access, AccessLog, day_of
from node.vault.database import FILE, connect
from node.vault.vault import Vault
from tests.vault.examples import ORDER, OTHER_ORDER, VISITS, Box, visits, written

NOON_S = 20_000 * DAY_S + DAY_S // 2


def vault_at(folder: Path, at_s: float) -> Vault:
    return Vault(folder / "vault", Box(), clock=lambda: at_s)


def accesses(vault: Vault, day: int = 20_000) -> list[tuple[Access, bytes, int, bytes]]:
    return [(line.access, line.dataset, line.version, line.order) for line in vault.access.day(day).entries]


def test_every_opening_leaves_a_line_also_a_resumed_one(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, NOON_S)
    taken = vault.take_in(written(tmp_path / "visits.csv", visits()), VISITS)
    vault.account.raise_total(taken.dataset, 100)
    for order in (ORDER, ORDER, OTHER_ORDER):
        vault.draw(order, taken.dataset, 1, 50)
    vault.revise(taken.dataset, written(tmp_path / "more.csv", visits(30)), VISITS)
    assert accesses(vault) == [
        (Access.TAKEN_IN, taken.dataset, 1, b""),
        (Access.OPENED, taken.dataset, 1, ORDER),
        (Access.OPENED, taken.dataset, 1, ORDER),
        (Access.OPENED, taken.dataset, 1, OTHER_ORDER),
        (Access.TAKEN_IN, taken.dataset, 2, b""),
    ]


def test_the_line_is_written_before_records_are_opened_and_stays_if_they_are_not_handed_out(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, NOON_S)
    taken = vault.take_in(written(tmp_path / "visits.csv", visits()), VISITS)
    (snapshot,) = (tmp_path / "vault" / "snapshots").iterdir()
    snapshot.unlink()
    with pytest.raises(Corrupt):
        vault.draw(ORDER, taken.dataset, 1, 50)
    assert accesses(vault)[1:] == [(Access.OPENED, taken.dataset, 1, ORDER)]


def test_a_day_begins_and_ends_at_midnight_utc(tmp_path: Path) -> None:
    log = Vault(tmp_path / "vault", Box()).access
    for at_s in (NOON_S, 20_000 * DAY_S - 1, 20_000 * DAY_S, 20_001 * DAY_S - 1, 20_001 * DAY_S):
        log.note(Access.DELETED, at_s, order=ORDER)
    assert [line.at_s for line in log.day(20_000).entries] == [NOON_S, 20_000 * DAY_S, 20_001 * DAY_S - 1]
    assert [day_of(at_s) for at_s in (0, DAY_S - 1, DAY_S)] == [0, 0, 1]


def test_a_day_keeps_its_salt_and_every_line_has_its_own(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault", Box())
    for _ in range(3):
        vault.access.note(Access.DELETED, NOON_S, order=ORDER)
    day = vault.access.day(20_000)
    assert Vault(tmp_path / "vault", Box()).access.day(20_000) == day
    assert len({day.salt, vault.access.day(20_001).salt, *(line.salt for line in day.entries)}) == 5
    assert day.salt.hex() not in repr(day)


@pytest.mark.parametrize("statement", ["DELETE FROM access", "UPDATE access SET at_s = 0", "DELETE FROM access_day"])
def test_no_line_is_ever_changed_or_removed(tmp_path: Path, statement: str) -> None:
    vault = Vault(tmp_path / "vault", Box())
    vault.access.note(Access.DELETED, NOON_S, order=ORDER)
    before = vault.access.day(20_000)
    other = sqlite3.connect(tmp_path / "vault" / FILE, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="lines are only added"):
        other.execute(statement)
    assert vault.access.day(20_000) == before


def test_a_vault_from_before_the_log_gets_one(tmp_path: Path) -> None:
    Vault(tmp_path, Box()).close()
    old = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    for table in ("access", "access_day"):
        old.execute(f"DROP TABLE {table}")
    old.execute("PRAGMA user_version = 1")
    old.close()
    connection = connect(tmp_path)
    log = AccessLog(connection, lambda count: bytes(count))
    log.note(Access.DELETED, NOON_S, order=ORDER)
    assert len(log.day(20_000).entries) == 1
    assert connection.execute("PRAGMA user_version").fetchone() == (5,)
