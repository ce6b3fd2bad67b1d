"""What a node notices where its vault's account and the ledger tell different stories."""

from pathlib import Path

from marketplace.protocol.account import Account
from marketplace.protocol.identity import DatasetId
from marketplace.protocol.offer import Guarantee, Offer
from node.reconciliation import differences
from node.vault.vault import Vault
from tests.protocol.examples import address
from tests.protocol.history import PROVIDER, RHO_MICRO, History
from tests.vault.examples import Box


def told(vault: Vault, account: Account) -> tuple[str, ...]:
    return differences(account, PROVIDER, vault.account)


def both(folder: Path, allowance: int = 0) -> tuple[History, Vault, bytes]:
    """A history with a dataset, and a vault that keeps its account. Gives the dataset's name in the vault, too."""
    history, vault = History(), Vault(folder, Box())
    dataset = history.register(total_micro=10 * RHO_MICRO, exact_total=allowance)
    name = history.account.datasets[dataset].salt
    vault.account.raise_total(name, 10 * RHO_MICRO)
    vault.account.set_allowance(name, allowance)
    return history, vault, name


def test_a_vault_and_a_ledger_that_agree_are_not_mentioned(tmp_path: Path) -> None:
    history, vault, name = both(tmp_path)
    (dataset,) = history.account.datasets
    order = history.place(staked(history, dataset))
    assert told(vault, history.account) == ()
    vault.account.debit(order, name, RHO_MICRO)
    vault.account.raise_total(name, 11 * RHO_MICRO)
    assert told(vault, history.account) == ()


def staked(history: History, dataset: DatasetId) -> Offer:
    """An offer on a dataset, with the bonds of ten orders."""
    offer = history.publish(dataset)
    history.stake(10 * offer.head.bond_units)
    return offer


def test_a_dataset_without_an_account_or_with_a_smaller_one_is_told(tmp_path: Path) -> None:
    history, vault, _ = both(tmp_path)
    (first,) = history.account.datasets
    history.open_epoch(first, 20 * RHO_MICRO)
    history.register()
    (smaller, lost) = told(vault, history.account)
    assert "by this node's vault" in smaller
    assert "has no account in this node's vault" in lost


def test_a_debit_that_the_ledger_knows_nothing_of_is_told(tmp_path: Path) -> None:
    history, vault, name = both(tmp_path)
    vault.account.debit(b"x" * 32, name, 5)
    (words,) = told(vault, history.account)
    assert "the ledger has no such order" in words


def test_a_debit_of_another_rho_or_after_a_release_is_told(tmp_path: Path) -> None:
    history, vault, name = both(tmp_path)
    (dataset,) = history.account.datasets
    offer = staked(history, dataset)
    first, second = history.place(offer), history.place(offer)
    vault.account.debit(first, name, RHO_MICRO - 1)
    vault.account.debit(second, name, RHO_MICRO)
    history.decline(second)
    history.release(second)
    (other, released) = told(vault, history.account)
    assert f"the ledger charged {RHO_MICRO:,}" in other
    assert "what it took was released on the ledger" in released


def exact_offer(history: History, dataset: DatasetId) -> Offer:
    """An exact offer on a dataset, with the bonds of ten orders."""
    offer = history.publish(dataset, guarantee=Guarantee.EXACT, delta_atto=0)
    history.stake(10 * offer.head.bond_units)
    return offer


def test_an_exact_draw_that_the_ledger_counted_is_not_mentioned(tmp_path: Path) -> None:
    history, vault, name = both(tmp_path, allowance=2)
    (dataset,) = history.account.datasets
    order = history.place(exact_offer(history, dataset))
    assert told(vault, history.account) == ()
    vault.account.take_exact(order, name)
    assert vault.account.exact_left(name) == 1 and told(vault, history.account) == ()


def test_an_exact_draw_that_the_ledger_knows_nothing_of_or_released_or_charged_in_rho_is_told(tmp_path: Path) -> None:
    history, vault, name = both(tmp_path, allowance=4)
    (dataset,) = history.account.datasets
    offer, noisy = exact_offer(history, dataset), staked(history, dataset)
    taken, charged, mixed = history.place(offer), history.place(noisy), history.place(offer)
    vault.account.take_exact(b"x" * 32, name)
    vault.account.take_exact(taken, name)
    vault.account.take_exact(charged, name)
    vault.account.debit(mixed, name, RHO_MICRO)
    history.decline(taken)
    history.release(taken)
    rho, unknown, released, other = told(vault, history.account)
    assert f"was debited {RHO_MICRO:,} micro-rho in this node's vault, the ledger charged one of the allowance" in rho
    assert "was debited one of the allowance in this node's vault, and the ledger has no such order" in unknown
    assert "what it took was released on the ledger" in released
    assert f"was debited one of the allowance in this node's vault, the ledger charged {RHO_MICRO:,} micro-rho" in other


def test_a_smaller_allowance_than_the_ledgers_is_told(tmp_path: Path) -> None:
    history, vault, name = both(tmp_path, allowance=2)
    vault.account.set_allowance(name, 1)
    (words,) = told(vault, history.account)
    assert "may serve 2 exact orders by the ledger, 1 by this node's vault" in words
    vault.account.set_allowance(name, 3)
    assert told(vault, history.account) == ()


def test_another_providers_datasets_are_its_own_business(tmp_path: Path) -> None:
    history, vault, name = both(tmp_path)
    vault.account.debit(b"x" * 32, name, 5)
    assert differences(history.account, address(77), vault.account) == ()
    assert differences(Account(), PROVIDER, vault.account) == ()
