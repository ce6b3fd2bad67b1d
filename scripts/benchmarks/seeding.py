"""Orders that stand in a market's storage without having been lived: a thousand of them at the cost of one."""

from eth_utils.crypto import keccak

from scripts.benchmarks.life import Life
from scripts.benchmarks.market import Market

_BASES = range(32)


def crowd(market: Market, model: Life, others: int, ended: bool) -> None:
    """Puts `others` further orders of the model's offer, its buyer and its lead into the market's storage.

    Each stands as the model does once it is placed or, if they have `ended`, settled; counters, budgets and accruals
    stand as if each had come there in the same way, and their money is there. The model itself is lived, and stays.
    """
    offer = _slot(market, model.terms.offer)
    before = market.evm.word(market.rules.address, offer)
    model.place()
    if ended:
        for step in (model.deliver, model.accept, model.reveal, model.settle):
            step()
    base, first = _mapping(market, model.id)
    words = [market.evm.word(market.rules.address, first + place) for place in range(2)]
    after = market.evm.word(market.rules.address, offer)
    put = {offer: after + others * (after - before)}
    for number in range(others):
        slot = _place(keccak(text=f"{ended} order {number}"), base)
        put |= {slot + place: word for place, word in enumerate(words)}
    market.evm.put(market.rules.address, put)
    market.euro.send(
        market.stranger, "mint", market.rules.address, others * (model.terms.price + model.terms.head.bond)
    )


def _slot(market: Market, key: bytes) -> int:
    """Where what the ledger keeps under `key` begins."""
    _, slot = _mapping(market, key)
    return slot


def _mapping(market: Market, key: bytes) -> tuple[int, int]:
    """Which of the contract's mappings by a hash has something under `key`, and where."""
    for base in _BASES:
        slot = _place(key, base)
        if market.evm.word(market.rules.address, slot):
            return base, slot
    raise LookupError("expected a key that the contract keeps something under")


def _place(key: bytes, base: int) -> int:
    """Where a mapping at slot `base` keeps what it has under `key`. Source: Solidity, layout of state variables."""
    return int.from_bytes(keccak(key + base.to_bytes(32)))
