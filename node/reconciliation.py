"""Whether the vault's own account and the ledger tell the same story: a pure comparison, in words for the provider."""

from collections.abc import Iterable

from marketplace.protocol.account import Account, DatasetView
from marketplace.protocol.identity import Address, OrderId
from node.vault.account import Account as VaultAccount
from node.vault.account import Debit


def differences(account: Account, provider: Address, kept: VaultAccount) -> tuple[str, ...]:
    """Where the two differ in a way that no interrupted step explains: in words that name datasets and orders alone.

    A vault may know a higher total than the ledger for a while, since it is raised first. What the vault debited the ledger
    has charged, for an order on that very dataset, and has not released.
    """
    mine = [dataset for dataset in account.datasets.values() if dataset.provider == provider]
    debits = kept.entries()
    return tuple(words for dataset in mine for words in _of_dataset(account, dataset, kept.total(dataset.salt), debits))


def _of_dataset(account: Account, dataset: DatasetView, total_micro: int, debits: Iterable[Debit]) -> Iterable[str]:
    name = f"dataset {dataset.id.hex()[:16]}..."
    if total_micro == 0:
        yield f"{name} has no account in this node's vault; restore the vault, or the node declines its orders"
    elif total_micro < dataset.total_micro:
        yield f"{name} may reveal {dataset.total_micro:,} micro-rho by the ledger, {total_micro:,} by this node's vault"
    for debit in debits:
        if debit.dataset == dataset.salt:
            yield from _of_debit(account, dataset, debit)


def _of_debit(account: Account, dataset: DatasetView, debit: Debit) -> Iterable[str]:
    order, name = account.orders.get(OrderId(debit.order)), f"order {debit.order.hex()[:16]}..."
    if order is None:
        yield f"{name} was debited in this node's vault, and the ledger has no such order"
        return
    members = account.offer_of(order).members
    charged_micro = [member.rho_micro for member in members if member.dataset == dataset.id]
    if charged_micro != [debit.rho_micro]:
        yield f"{name} was debited {debit.rho_micro:,} micro-rho in this node's vault, the ledger charged {sum(charged_micro):,}"
    if dataset.id in order.released:
        yield f"{name} opened records by this node's vault, and its rho was released on the ledger"
