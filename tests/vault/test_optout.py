"""Opting out: from then on, reversible, never undoing a draw that was made."""

from pathlib import Path

import pytest

from marketplace.errors import Invalid
from marketplace.protocol.schema import Category, Schema
from node.vault.optout import register_commitment
from node.vault.vault import Vault
from tests.vault.examples import Box

SCHEMA = Schema(
    (Category("kind", tuple(f"kind {number}" for number in range(6)), False), Category("sex", ("f", "m"), False)),
    "patient",
    2,
)
FIRST, SECOND, THIRD = (bytes([number]) * 32 for number in (1, 2, 3))


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "records.csv"
    lines = [f"p{number},kind {number},{'fm'[number % 2]}" for number in range(6)]
    path.write_text("\n".join(["patient,kind,sex", *lines, *lines[:2]]) + "\n")
    return path


def vault_with(records: Path, schema: Schema = SCHEMA) -> tuple[Vault, bytes]:
    vault = Vault(records.parent / "vault", Box())
    snapshot = vault.take_in(records, schema, holdout_percent=0)
    vault.account.raise_total(snapshot.dataset, 1_000)
    return vault, snapshot.dataset


def kinds(vault: Vault, dataset: bytes, order: bytes) -> list[int]:
    return sorted(vault.draw(order, dataset, 1, 10).training.column("kind").to_pylist())


def test_all_rows_of_who_opted_out_are_missing_from_later_orders_and_nobody_elses(records: Path) -> None:
    vault, dataset = vault_with(records)
    assert kinds(vault, dataset, FIRST) == [0, 0, 1, 1, 2, 3, 4, 5]
    vault.note_opt_outs(dataset, ["p0", "p3"], out=True, at_s=5)
    assert kinds(vault, dataset, SECOND) == [1, 1, 2, 4, 5]


def test_an_order_that_has_drawn_goes_on_with_the_register_as_it_was(records: Path) -> None:
    vault, dataset = vault_with(records)
    before = vault.draw(FIRST, dataset, 1, 10)
    vault.note_opt_outs(dataset, ["p0"], out=True, at_s=5)
    again = vault.draw(FIRST, dataset, 1, 10)
    assert again.resumed
    assert again.training.equals(before.training)
    assert again.register == before.register


def test_opting_out_is_reversible(records: Path) -> None:
    vault, dataset = vault_with(records)
    vault.note_opt_outs(dataset, ["p0"], out=True, at_s=5)
    vault.note_opt_outs(dataset, ["p0"], out=False, at_s=6)
    assert kinds(vault, dataset, THIRD) == [0, 0, 1, 1, 2, 3, 4, 5]


def test_who_opts_out_before_any_record_of_theirs_arrives_is_out_of_the_next_version(records: Path) -> None:
    vault, dataset = vault_with(records)
    vault.note_opt_outs(dataset, ["p9"], out=True, at_s=5)
    records.write_text(records.read_text() + "p9,kind 5,f\n")
    vault.revise(dataset, records, SCHEMA)
    assert sorted(vault.draw(FIRST, dataset, 2, 10).training.column("kind").to_pylist()) == [0, 0, 1, 1, 2, 3, 4, 5]


def test_the_commitment_tells_neither_who_nor_how_many(records: Path) -> None:
    vault, dataset = vault_with(records)
    nobody = [vault.draw(order, dataset, 1, 10).register for order in (FIRST, SECOND)]
    assert nobody[0] != nobody[1]
    assert {len(commitment) for commitment in nobody} == {32}
    one = frozenset([bytes(16)])
    assert register_commitment(one, bytes(32)) != register_commitment(frozenset(), bytes(32))
    assert register_commitment(one, bytes(32)) != register_commitment(one, bytes([1]) * 32)


def test_the_register_holds_no_names(records: Path) -> None:
    vault, dataset = vault_with(records)
    vault.note_opt_outs(dataset, ["p0-of-the-ward"], out=True, at_s=5)
    vault.close()
    for path in (records.parent / "vault").glob("vault.sqlite*"):
        assert b"p0-of-the-ward" not in path.read_bytes()


@pytest.mark.parametrize("names", [[], [""], ["p0", "  "]])
def test_an_empty_name_is_invalid_and_nothing_is_noted(records: Path, names: list[str]) -> None:
    vault, dataset = vault_with(records)
    with pytest.raises(Invalid, match="names of persons"):
        vault.note_opt_outs(dataset, names, out=True, at_s=5)
    assert kinds(vault, dataset, FIRST) == [0, 0, 1, 1, 2, 3, 4, 5]


def test_a_dataset_without_a_person_column_cannot_be_opted_out_of(records: Path) -> None:
    vault, dataset = vault_with(records, Schema(SCHEMA.columns, None, 1))
    with pytest.raises(Invalid, match="cannot tell persons apart"):
        vault.note_opt_outs(dataset, ["p0"], out=True, at_s=5)


def test_a_dataset_that_the_vault_does_not_hold_is_invalid(records: Path) -> None:
    vault, _ = vault_with(records)
    with pytest.raises(Invalid, match="expected a dataset of this vault"):
        vault.note_opt_outs(bytes(32), ["p0"], out=True, at_s=5)
