"""What each step of an order costs in gas, beside what the best comparable projects need.

`python -m scripts.benchmarks.gas` prints a table, with --json one object. Every figure is gasUsed of one transaction on
py-evm (Prague rules; 21,000 and calldata counted; refunds subtracted) with one provider, a bond, a compute fee and the
test euro; `approve`, withdrawals and `complain`, about one chunk of 31 MiB (15 levels), stand apart. First: the offer's
first order, whose bond takes the provider's whole credit. Repeat: every balance, credit and allowance that a step
changes was above zero before and stays so.
"""

import argparse
import json
from dataclasses import dataclass

from scripts.benchmarks.market import EURO, Life, Market

HONEST_PATH = ("place", "deliver", "accept", "reveal", "settle")
CEILINGS = {
    "register": 110_000,
    "publish": 80_000,
    "place": 125_000,
    "deliver": 70_000,
    "accept": 40_000,
    "reveal": 48_000,
    "settle": 55_000,
    "complain": 130_000,
    "honest path": 320_000,
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


@dataclass(frozen=True)
class Report:
    """Gas by step: the first time that money and counters are touched, the second, and with other orders open."""

    first: dict[str, int]
    repeat: dict[str, int]
    crowded: dict[str, int]


def measure(others: int = OTHER_ORDERS) -> Report:
    """Run three whole lives of an order: the offer's first, the next, and one with `others` orders open beside it."""
    market = Market()
    steps = _set_up(market)
    dataset = market.register(10**9, salt=b"\4" * 32)
    terms = market.publish(market.head(), [market.member(dataset)])
    first = _live(market.life(terms, 1))
    market.stake((others + 2) * terms.head.bond)
    market.rules.send(market.buyer, "stake", market.euro.address, 1)
    repeat = _live(market.life(terms, 2))
    market.fund(market.euro, market.buyer)
    for number in range(others):
        market.life(terms, 1_000 + number).place()
    crowded = _live(market.life(terms, 3))
    return Report(steps | first, repeat, crowded)


def _set_up(market: Market) -> dict[str, int]:
    """Gas of what comes before orders. Leaves the provider with the credit for one bond."""
    dataset = market.rules.send(market.provider, "register", b"\1" * 32, b"\2" * 32, b"\3" * 32, 10**6)
    head = market.head(maxOpen=1)
    published = market.rules.send(market.provider, "publish", head, [market.member(dataset.value)])
    return {"register": dataset.gas, "publish": published.gas, "stake": market.stake(head.bond).gas}


def _live(life: Life) -> dict[str, int]:
    """Gas of each step of one order that its buyer settles, and of another way to accept it."""
    market, rules = life.market, life.market.rules
    steps = {"approve": market.euro.send(market.buyer, "approve", rules.address, 10**6 * EURO).gas}
    steps["place"] = life.place().gas
    steps["deliver"] = life.deliver().gas
    before = market.evm.snapshot()
    steps["acceptFor"] = life.accept_for(life.sign_acceptance(market.buyer)).gas
    market.evm.restore(before)
    steps["accept"] = life.accept().gas
    steps["reveal"] = life.reveal().gas
    before = market.evm.snapshot()
    steps["complain"] = life.complain().gas
    market.evm.restore(before)
    steps["settle"] = life.settle().gas
    steps["honest path"] = sum(steps[step] for step in HONEST_PATH)
    steps["withdrawPayout"] = life.withdraw_payout().gas
    steps["withdrawCredit"] = rules.send(market.provider, "withdrawCredit", market.euro.address, 1).gas
    return steps


def _table(report: Report) -> str:
    lines = [f"{'gas':<16}{'first':>10}{'repeat':>10}{f'{OTHER_ORDERS:,} open':>12}{'ceiling':>10}"]
    for step in report.first:
        figures = (report.first.get(step), report.repeat.get(step), report.crowded.get(step), CEILINGS.get(step))
        cells = [f"{figure:,}" if figure else "" for figure in figures]
        lines.append(f"{step:<16}{cells[0]:>10}{cells[1]:>10}{cells[2]:>12}{cells[3]:>10}")
    lines += ["", "Others, measured on py-evm with their own contracts:"]
    lines += [f"  {gas:>9,}  {name}" for name, gas in PEERS.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="gas", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json: bool = parser.parse_args().json
    report = measure()
    figures = {"first": report.first, "repeat": report.repeat, "crowded": report.crowded}
    if as_json:
        print(json.dumps({**figures, "other_orders": OTHER_ORDERS, "ceilings": CEILINGS, "peers": PEERS}))
    else:
        print(_table(report))


if __name__ == "__main__":
    main()
