"""The only door to records for an order."""

import gc
import multiprocessing
import os
import signal
from pathlib import Path

import pyarrow as pa
import pytest

from marketplace.errors import Corrupt, Invalid, Refused
from node.vault.account import Debit
from node.vault.draw import STEPS
from node.vault.register import Snapshot
from node.vault.vault import Vault
from tests.vault.examples import ORDER, OTHER_ORDER, VISITS, Box, visits, written


def filled(folder: Path, box: Box | None = None) -> tuple[Vault, Snapshot]:
    vault = Vault(folder / "vault", box or Box())
    snapshot = vault.take_in(written(folder / "visits.csv", visits()), VISITS)
    vault.account.raise_total(snapshot.dataset, 100)
    return vault, snapshot


def test_a_draw_hands_out_bounded_rows_of_separate_persons_against_the_whole_rho(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    draw = vault.draw(ORDER, snapshot.dataset, 1, 60)
    assert draw.training.column_names == draw.holdout.column_names == ["sex", "age"]
    assert draw.training.num_rows + draw.holdout.num_rows == snapshot.rows == 53
    assert draw.holdout.num_rows == snapshot.holdout_rows
    assert not set(draw.training.column("age").to_pylist()) & set(draw.holdout.column("age").to_pylist())
    assert vault.account.entries() == (Debit(ORDER, snapshot.dataset, 60),)
    assert len(draw.noise_key) == 32
    assert not draw.resumed


def test_the_same_order_resumes_with_the_same_rows_and_key_and_no_second_debit(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    first = vault.draw(ORDER, snapshot.dataset, 1, 60)
    second = Vault(tmp_path / "vault", Box()).draw(ORDER, snapshot.dataset, 1, 60)
    assert second.resumed
    assert second.noise_key == first.noise_key
    assert second.training.equals(first.training)
    assert second.holdout.equals(first.holdout)
    assert vault.account.spent(snapshot.dataset) == 60


def test_rows_stay_in_the_snapshot_until_somebody_opts_out(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)

    def copied(order: bytes) -> int:
        gc.collect()  # what other tests left behind is not let go of in between
        before = pa.total_allocated_bytes()
        draw = vault.draw(order, snapshot.dataset, 1, 30)
        return pa.total_allocated_bytes() - before if draw.training.num_rows else -1

    assert copied(ORDER) == 0
    vault.note_opt_outs(snapshot.dataset, [f"p{number}" for number in range(5, 25)], out=True, at_s=1)
    assert copied(OTHER_ORDER) > 0


def test_a_key_that_is_marked_as_a_tests_draws_no_records_and_costs_nothing(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    vault.close()
    marked = Vault(tmp_path / "vault", Box(), randomness=bytes)
    with pytest.raises(Refused, match="marked as a test's"):
        marked.draw(ORDER, snapshot.dataset, 1, 60)
    assert not marked.account.touched(ORDER, snapshot.dataset)


def test_a_marked_key_that_was_put_in_the_place_of_the_orders_own_draws_nothing(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    own = vault.draw(ORDER, snapshot.dataset, 1, 60).noise_key

    class Swapping(Box):
        def open(self, label: bytes, blob: bytes) -> bytes:
            found = super().open(label, blob)
            return bytes(32) if found == own else found

    with pytest.raises(Refused, match="marked as a test's"):
        Vault(tmp_path / "vault", Swapping()).draw(ORDER, snapshot.dataset, 1, 60)


def test_another_order_has_another_key_and_pays_again(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    keys = {vault.draw(order, snapshot.dataset, 1, 50).noise_key for order in (ORDER, OTHER_ORDER)}
    assert len(keys) == 2
    assert vault.account.spent(snapshot.dataset) == 100


def test_without_rho_no_rows(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    for rho_micro in (101, 1_000):
        with pytest.raises(Refused):
            vault.draw(ORDER, snapshot.dataset, 1, rho_micro)
    with pytest.raises(Invalid):
        vault.draw(ORDER, snapshot.dataset, 1, 0)
    vault.draw(ORDER, snapshot.dataset, 1, 60)
    with pytest.raises(Refused, match="took before"):
        vault.draw(ORDER, snapshot.dataset, 1, 40)
    assert vault.account.spent(snapshot.dataset) == 60


def test_altered_records_are_corrupt_before_anything_is_debited(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    path = tmp_path / "vault" / "snapshots" / f"{snapshot.commitment.hex()}.arrow"
    other = Vault(tmp_path / "other", Box()).take_in(written(tmp_path / "more.csv", visits(30)), VISITS)
    path.write_bytes((tmp_path / "other" / "snapshots" / f"{other.commitment.hex()}.arrow").read_bytes())
    with pytest.raises(Corrupt):
        vault.draw(ORDER, snapshot.dataset, 1, 60)
    assert not vault.account.touched(ORDER, snapshot.dataset)


def test_an_order_that_has_drawn_never_draws_from_another_version(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    vault.revise(snapshot.dataset, written(tmp_path / "more.csv", visits(30)), VISITS)
    vault.draw(ORDER, snapshot.dataset, 1, 60)
    with pytest.raises(Refused, match="expected version 1, from which this order has drawn, got 2"):
        vault.draw(ORDER, snapshot.dataset, 2, 60)
    assert vault.draw(ORDER, snapshot.dataset, 1, 60).resumed


def test_the_noise_key_stands_nowhere_in_the_clear(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    draw = vault.draw(ORDER, snapshot.dataset, 1, 60)
    vault.close()
    assert draw.noise_key.hex() not in repr(draw)
    assert "pyarrow" not in repr(draw).lower()
    for path in (tmp_path / "vault").rglob("*"):
        assert path.is_dir() or draw.noise_key not in path.read_bytes()


def test_under_another_storage_key_an_order_does_not_resume(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    vault.draw(ORDER, snapshot.dataset, 1, 60)
    with pytest.raises(Corrupt):
        Vault(tmp_path / "vault", Box(bytes([1]) * 32)).draw(ORDER, snapshot.dataset, 1, 60)


def _draw_and_die(folder: Path, dataset: bytes, step: str) -> None:
    def reached(now: str) -> None:
        if now == step:
            os.kill(os.getpid(), signal.SIGKILL)

    Vault(folder, Box(), reached=reached).draw(ORDER, dataset, 1, 60)


@pytest.mark.parametrize("step", STEPS)
def test_a_process_killed_at_any_step_neither_debits_twice_nor_makes_a_second_key(tmp_path: Path, step: str) -> None:
    vault, snapshot = filled(tmp_path)
    vault.close()
    spawn = multiprocessing.get_context("spawn")
    child = spawn.Process(target=_draw_and_die, args=(tmp_path / "vault", snapshot.dataset, step))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL

    again = Vault(tmp_path / "vault", Box())
    assert again.account.touched(ORDER, snapshot.dataset) == (step not in ("logged", "opened"))
    first = again.draw(ORDER, snapshot.dataset, 1, 60)
    assert first.resumed == (step == "key journalled")
    assert again.draw(ORDER, snapshot.dataset, 1, 60).noise_key == first.noise_key
    assert again.account.entries() == (Debit(ORDER, snapshot.dataset, 60),)


def _draw_key(folder: Path, dataset: bytes, keys: "multiprocessing.Queue[bytes]") -> None:
    keys.put(Vault(folder, Box()).draw(ORDER, dataset, 1, 60).noise_key)


def test_processes_that_draw_for_one_order_at_once_get_one_key(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    spawn = multiprocessing.get_context("spawn")
    keys: multiprocessing.Queue[bytes] = spawn.Queue()
    children = [spawn.Process(target=_draw_key, args=(tmp_path / "vault", snapshot.dataset, keys)) for _ in range(2)]
    for child in children:
        child.start()
    assert len({keys.get(timeout=600) for _ in children}) == 1
    for child in children:
        child.join()
    assert vault.account.spent(snapshot.dataset) == 60


def test_an_exact_draw_takes_of_the_allowance_and_resumes_with_its_key(tmp_path: Path) -> None:
    vault, snapshot = filled(tmp_path)
    with pytest.raises(Refused, match="none is left"):
        vault.draw_exact(ORDER, snapshot.dataset, 1)
    assert not vault.account.touched(ORDER, snapshot.dataset)
    vault.account.set_allowance(snapshot.dataset, 1)
    first, second = (vault.draw_exact(ORDER, snapshot.dataset, 1) for _ in range(2))
    assert (first.resumed, second.resumed) == (False, True)
    assert second.noise_key == first.noise_key
    assert second.training.equals(first.training)
    assert (vault.account.spent(snapshot.dataset), vault.account.exact_left(snapshot.dataset)) == (0, 0)
    with pytest.raises(Refused, match="none is left"):
        vault.draw_exact(OTHER_ORDER, snapshot.dataset, 1)
