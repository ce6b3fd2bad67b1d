"""What each step of an order costs in gas, beside what the best comparable projects need.

`python -m scripts.benchmarks.gas` prints a table, with --json one object; with --write it puts the figures into
contracts/gas.json, which a test compares with what it measures. Every figure is gasUsed of one transaction on
py-evm (Prague rules; 21,000 and calldata counted; refunds subtracted) with one provider, a bond, a compute fee and the
test euro, where nothing else is said; `approve`, withdrawals and `complain`, about one chunk of 31 MiB (15 levels), stand
apart. The buyer approves exactly the price of each order. First: the offer's first order, whose bond takes the provider's
whole credit. Repeat: every balance, credit and counter that a step changes was above zero before and stays so. Open, past:
as repeat, beside a thousand other orders of the same offer that are open, or settled. Pools, relayed orders and contests
are measured as repeat, with an approval that stays above zero.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass

from eth_utils.crypto import keccak

from scripts.benchmarks import snapshot
from scripts.benchmarks.evm import Outcome
from scripts.benchmarks.life import Life, live
from scripts.benchmarks.market import EURO, Market, Terms
from scripts.benchmarks.seeding import crowd

HONEST_PATH = ("place", "deliver", "accept", "reveal", "settle")
SIZES = (2, 16)
CEILINGS = {
    "register": 110_000,
    "publish": 80_000,
    "place": 125_000,
    "place, each further member of 2": 7_000,
    "place, each further member of 16": 7_000,
    "place, relayed (EIP-2612), more": 35_000,
    "place, relayed (EIP-3009), more": 35_000,
    "deliver": 70_000,
    "deliver, each further signature of 2": 6_000,
    "deliver, each further signature of 16": 6_000,
    "accept": 40_000,
    "reveal": 48_000,
    "settle": 55_000,
    "settle, 16 members": 55_000,
    "complain": 130_000,
    "honest path": 300_000,
}
PEERS = {
    "publish one sellable dataset (Ocean Protocol v2.8, 3 transactions)": 1_700_000,
    "buy and order, repeat (Ocean buyFromFreAndOrder; no escrow)": 270_121,
    "escrow lock and claim, one open lock (Ocean Escrow)": 425_729,
    "escrow lock and claim, fifty open locks (Ocean Escrow)": 822_740,
    "optimistic fair swap, honest path (FairSwap, 4 transactions)": 443_692,
    "complaint about 1 KiB of 32 MiB, the cheapest (FairSwap)": 89_000,
    "complaint about 1 KiB of 32 MiB, the dearest (FairSwap)": 179_000,
    "key for payment, honest path (FDE, 3 transactions, ether only, no bond)": 237_189,
}
OTHER_ORDERS = 1_000
START_S = 1_800_000_000
"""The time at which every run begins, for a byte of calldata costs less if it is zero."""


@dataclass(frozen=True)
class Report:
    """Gas by step: the first time that money and counters are touched, the second, and beside other orders."""

    first: dict[str, int]
    repeat: dict[str, int]
    open: dict[str, int]
    past: dict[str, int]


def measure(others: int = OTHER_ORDERS) -> Report:
    """Runs whole lives of orders: an offer's first, the next, and one beside `others` open and one beside as many past."""
    market = Market()
    market.evm.travel(START_S)
    steps = _set_up(market)
    terms = _settled_in(market, market.register(10**9, salt=b"\4" * 32), others)
    first = _live(live(market, terms, 1))
    market.stake((others + 10) * terms.head.bond)
    market.rules.send(market.buyer, "stake", market.euro.address, 1)
    repeat = _live(live(market, terms, 2))
    before = market.evm.snapshot()
    beside = []
    for ended in (False, True):
        crowd(market, live(market, terms, 3), others, ended)
        beside.append(_live(live(market, terms, 4)))
        market.evm.restore(before)
    more = _relayed(market, terms) | _pools(market) | _contest(market)
    return Report(steps | first, repeat | more, *beside)


def _set_up(market: Market) -> dict[str, int]:
    """Gas of what comes before orders. Leaves the provider with the credit for one bond."""
    dataset = market.rules.send(market.provider, "register", b"\1" * 32, b"\2" * 32, b"\3" * 32, 10**6, 0)
    head = market.head(maxOpen=1)
    published = market.rules.send(market.provider, "publish", head, [market.member(dataset.value)], [])
    return {"register": dataset.gas, "publish": published.gas, "stake": market.stake(head.bond).gas}


def _settled_in(market: Market, dataset: bytes, others: int) -> Terms:
    """An offer under which as many orders may be open."""
    return market.publish(market.head(maxOpen=others + 10), [market.member(dataset)])


def _live(life: Life) -> dict[str, int]:
    """Gas of each step of one order that its buyer settles, and of another way to accept it."""
    market, rules = life.market, life.market.rules
    _approve(market, 0)
    steps = {"approve": _approve(market, life.terms.price)}
    steps["place"] = life.place().gas
    _approve(market, 10**6 * EURO)
    steps["deliver"] = life.deliver().gas
    steps["acceptFor"] = _tried(market, lambda: life.accept_for(life.sign_acceptance(market.buyer)))
    steps["accept"] = life.accept().gas
    steps["reveal"] = life.reveal().gas
    steps["complain"] = _tried(market, life.complain)
    steps["settle"] = life.settle().gas
    steps["honest path"] = sum(steps[step] for step in HONEST_PATH)
    steps["withdrawPayout"] = life.withdraw_payout().gas
    steps["withdrawCredit"] = rules.send(market.provider, "withdrawCredit", market.euro.address, 1).gas
    return steps


def _approve(market: Market, amount: int) -> int:
    return market.euro.send(market.buyer, "approve", market.rules.address, amount).gas


def _tried(market: Market, step: Callable[[], Outcome]) -> int:
    """Gas of a step that is then undone."""
    before = market.evm.snapshot()
    gas = step().gas
    market.evm.restore(before)
    return gas


def _relayed(market: Market, terms: Terms) -> dict[str, int]:
    """How much more an order costs that somebody else hands in, paid in each way."""
    life = live(market, terms, 10)
    alone = _tried(market, life.place)
    ways = {"approved": Life.place_for, "EIP-2612": _by_approval, "EIP-3009": _by_authorization}
    return {
        f"place, relayed ({way}), more": _tried(market, lambda send=send: send(life)) - alone  # type: ignore[misc]
        for way, send in ways.items()
    }


def _by_approval(life: Life) -> Outcome:
    return life.place_for(life.approval())


def _by_authorization(life: Life) -> Outcome:
    return life.place_for(life.authorization())


def _pools(market: Market) -> dict[str, int]:
    """What further members and their signatures cost, and that settling does not depend on them.

    A further signature is measured beside an offer of as many datasets that are all the lead's own.
    """
    steps: dict[str, int] = {}
    alone = _pooled(market, [market.provider])
    for size in SIZES:
        found = _pooled(market, [market.provider, *market.others[: size - 1]])
        own = _pooled(market, [market.provider] * size)
        steps[f"publish, {size} members"] = found["publish"]
        steps[f"place, each further member of {size}"] = _each(alone["place"], found["place"], size)
        steps[f"deliver, each further member of {size}"] = _each(alone["deliver"], own["deliver"], size)
        steps[f"deliver, each further signature of {size}"] = _each(own["deliver"], found["deliver"], size)
    return steps | {f"settle, {size} members": found["settle"]}


def _each(less: int, more: int, size: int) -> int:
    """The part of a difference that each member but the first has, rounded up."""
    return -((less - more) // (size - 1))


def _pooled(market: Market, providers: list[str]) -> dict[str, int]:
    """Gas of the second order of an offer with a member for each provider."""
    members = market.pool(*providers, salt=keccak(text=" ".join(providers)))
    head = market.head()
    consents = market.consents(head, members)
    published = market.rules.send(market.provider, "publish", head, members, consents).gas
    terms = market.terms(head, members)
    for number in range(2):
        life = live(market, terms, number)
        steps = {"place": life.place().gas, "deliver": life.deliver().gas}
        life.accept()
        life.reveal()
        steps["settle"] = life.settle().gas
    return {"publish": published, **steps}


def _contest(market: Market) -> dict[str, int]:
    """What the arbiter's way costs, the second time."""
    dataset = market.register(10**9, salt=b"\5" * 32)
    terms = market.publish(market.arbitrated(), [market.member(dataset)])
    for number in range(2):
        life = live(market, terms, number)
        for step in (life.place, life.deliver, life.accept, life.reveal):
            step()
        steps = {"contest": life.contest().gas, "rule": life.rule().gas}
    return steps


def rows(report: Report) -> dict[str, tuple[int | None, ...]]:
    """Each step's figures: first, repeat, beside open orders, beside past ones, and its ceiling."""
    parts = (report.first, report.repeat, report.open, report.past, CEILINGS)
    return {step: tuple(part.get(step) for part in parts) for step in report.first | report.repeat}


def above(report: Report) -> dict[str, int]:
    """The steps whose figure, in repeat where there is one, lies above its ceiling."""
    found = report.first | report.repeat
    return {step: found[step] for step, most in CEILINGS.items() if found[step] > most}


def _table(report: Report) -> str:
    many = f"{OTHER_ORDERS:,}"
    titles = ("first", "repeat", f"{many} open", f"{many} past", "ceiling")
    lines = [f"{'gas':<38}" + "".join(f"{title:>12}" for title in titles)]
    for step, figures in rows(report).items():
        lines.append(f"{step:<38}" + "".join(f"{f'{figure:,}' if figure else '':>12}" for figure in figures))
    lines += ["", "Others, measured on py-evm with their own contracts:"]
    lines += [f"  {gas:>9,}  {name}" for name, gas in PEERS.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="gas", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--write", action="store_true", help="keep the figures in contracts/gas.json")
    options = parser.parse_args()
    as_json: bool = options.json
    report = measure()
    if options.write:
        snapshot.PATH.write_text(snapshot.text(rows(report)))
    figures = {"first": report.first, "repeat": report.repeat, "open": report.open, "past": report.past}
    if as_json:
        print(json.dumps({**figures, "other_orders": OTHER_ORDERS, "ceilings": CEILINGS, "peers": PEERS}))
    else:
        print(_table(report))


if __name__ == "__main__":
    main()
