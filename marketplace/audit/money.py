"""Checks of money: nothing is made, nothing is lost, nobody is paid without a delivery."""

from collections import defaultdict
from collections.abc import Iterator

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, listed, short
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account
from marketplace.protocol.check import Check
from marketplace.protocol.identity import Address, OfferId, OrderId
from marketplace.protocol.settlement import owed_units
from marketplace.protocol.states import Reason


def conserved(evidence: Evidence) -> Check:
    """Check 1, from the events alone."""
    account, offenders, sums = evidence.account, [], []
    for token in tokens(account):
        paid_in = account.paid_in_units.get(token, 0)
        accounted = account.paid_out_units.get(token, 0) + _owed(account, token)
        if paid_in != accounted:
            offenders.append(f"of {short(token)} {paid_in:,} units were paid in and {accounted:,} are accounted for")
        sums.append(f"{paid_in:,} units of {short(token)}")
    negative = (key for key, amount in account.credits.items() if amount < 0)
    offenders += [f"the credit of {short(who)} in {short(token)} is below zero" for token, who in negative]
    return finding(
        1,
        "Everything paid in was paid out, is a credit, is held by an open order, or is earned and not withdrawn.",
        offenders,
        listed(sums) or "no money has moved",
    )


def covered(evidence: Evidence) -> Check:
    """Check 2, against the balance of the contract."""
    offenders, sums = [], []
    for token in tokens(evidence.account):
        owed, held = _owed(evidence.account, token), evidence.answers.balances[token]
        if held is None:
            offenders.append(f"{owed:,} units of {short(token)} are owed, and the token does not say what is there")
            continue
        if held < owed:
            offenders.append(f"{owed:,} units of {short(token)} are owed and {held:,} are there")
        surplus = f" and {held - owed:,} that nobody is owed" if held > owed else ""
        sums.append(f"{owed:,} units of {short(token)}{surplus}")
    sentence = "The contract holds what it owes, to the unit, in every token."
    return finding(2, sentence, offenders, listed(sums) or "no money has moved")


def earned(evidence: Evidence) -> Check:
    """Check 7: what offers earned, recomputed order by order, against the fold and the contract; and every payout."""
    walk = _Earnings(evidence.account)
    offenders = [offence for event in evidence.events for offence in walk.take(event)]
    for offer, view in evidence.account.offers.items():
        expected, answer = walk.units[offer], evidence.answers.offers.get(offer)
        if expected != view.accrued_units or (answer is not None and expected != answer.accrued_units):
            offenders.append(f"offer {short(offer)} has earned {expected:,} units and is said to have earned others")
    return finding(
        7,
        "Only delivered orders were paid for, compute fees are right, and nobody withdrew more than its share.",
        offenders,
        f"{counted(len(walk.paid), 'order')} paid for, {counted(walk.payouts, 'payout')}",
    )


def tokens(account: Account) -> list[Address]:
    """Every token in which money has moved. Anyone may offer something for a token that is none."""
    return sorted({*account.paid_in_units, *account.paid_out_units, *(token for token, _ in account.credits)})


def _owed(account: Account, token: Address) -> int:
    return account.credit_units(token) + account.held_units(token) + account.unpaid_units(token)


class _Earnings:
    """What offers have earned and their members have withdrawn at each moment of history."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._delivered: set[OrderId] = set()
        self._withdrawn: dict[tuple[OfferId, int], int] = defaultdict(int)
        self.units: dict[OfferId, int] = defaultdict(int)
        self.paid: set[OrderId] = set()
        self.payouts = 0

    def take(self, event: ev.Event) -> Iterator[str]:
        """The next event; gives what is wrong with it."""
        match event:
            case ev.OrderDelivered(_, order):
                self._delivered.add(order)
            case ev.OrderSettled(_, order):
                yield from self._earn(order, whole=True)
            case ev.OrderRefunded(_, order, Reason.REJECTED | Reason.NOT_ACCEPTED):
                yield from self._earn(order, whole=False)
            case ev.PayoutWithdrawn():
                yield from self._pay(event)

    def _earn(self, order: OrderId, *, whole: bool) -> Iterator[str]:
        if order not in self._delivered:
            yield f"order {short(order)} was paid for without a delivery"
        offer = self._account.offers[self._account.orders[order].order.offer].offer
        price_units = offer.head.cost_units + offer.head.margin_units
        self.units[offer.id] += price_units if whole else price_units * offer.head.compute_fee_bps // 10_000
        self.paid.add(order)

    def _pay(self, payout: ev.PayoutWithdrawn) -> Iterator[str]:
        self.payouts += 1
        member = self._account.offers[payout.offer].offer.members[payout.member]
        key = (payout.offer, payout.member)
        if payout.amount_units > owed_units(self.units[payout.offer], member.share_bps, self._withdrawn[key]):
            yield f"member {payout.member} of offer {short(payout.offer)} withdrew more than it had earned"
        if payout.provider != member.provider:
            yield f"a payout of offer {short(payout.offer)} went to another than its member {payout.member}"
        self._withdrawn[key] += payout.amount_units
