"""Whether the vault's own account and the ledger tell the same story: a pure comparison, in words for the provider."""

from collections.abc import Iterable

from marketplace.protocol.account import Account, DatasetView, OrderView
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.offer import Guarantee
from node.vault.account import Account as VaultAccount


def differences(account: Account, provider: Address, kept: VaultAccount) -> tuple[str, ...]:
    """Where the two differ in a way that no interrupted step explains: in words that name datasets and orders alone.

    A vault may know a higher total than the ledger for a while, since it is raised first. What the vault debited the ledger
    has charged, for an order on that very dataset, and has not released; of an exact order likewise, which the ledger has
    counted against the allowance.
    """
    mine = [dataset for dataset in account.datasets.values() if dataset.provider == provider]
    return tuple(words for dataset in mine for words in _of_dataset(account, dataset, kept))


def _of_dataset(account: Account, dataset: DatasetView, kept: VaultAccount) -> Iterable[str]:
    name, total_micro = f"dataset {dataset.id.hex()[:16]}...", kept.total(dataset.salt)
    if total_micro == 0:
        yield f"{name} has no account in this node's vault; restore the vault, or the node declines its orders"
    elif total_micro < dataset.total_micro:
        yield f"{name} may reveal {dataset.total_micro:,} micro-rho by the ledger, {total_micro:,} by this node's vault"
    exact_total = kept.exact_total(dataset.salt)
    if exact_total < dataset.exact_total:
        yield f"{name} may serve {dataset.exact_total:,} exact orders by the ledger, {exact_total:,} by this node's vault"
    for debit in kept.entries():
        if debit.dataset == dataset.salt:
            yield from _of_entry(account, dataset, debit.order, debit.rho_micro)
    for draw in kept.exact_draws():
        if draw.dataset == dataset.salt:
            yield from _of_entry(account, dataset, draw.order, None)


def _of_entry(account: Account, dataset: DatasetView, order_id: bytes, rho_micro: int | None) -> Iterable[str]:
    """`rho_micro`: None for an exact order."""
    order, name = account.orders.get(OrderId(order_id)), f"order {order_id.hex()[:16]}..."
    taken = "one of the allowance" if rho_micro is None else f"{rho_micro:,} micro-rho"
    if order is None:
        yield f"{name} was debited {taken} in this node's vault, and the ledger has no such order"
        return
    if (charged := _charged(account, dataset, order)) != taken:
        yield f"{name} was debited {taken} in this node's vault, the ledger charged {charged}"
    if dataset.id in order.released:
        yield f"{name} opened records by this node's vault, and what it took was released on the ledger"


def _charged(account: Account, dataset: DatasetView, order: OrderView) -> str:
    offer = account.offer_of(order)
    charged_micro = [member.rho_micro for member in offer.members if member.dataset == dataset.id]
    if charged_micro and offer.head.guarantee is Guarantee.EXACT:
        return "one of the allowance"
    return f"{sum(charged_micro):,} micro-rho"
