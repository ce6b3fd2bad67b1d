"""Checks of money: nothing is made, nothing is lost, nobody is paid without a delivery."""

from collections import defaultdict
from collections.abc import Iterator

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, listed, short
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account
from marketplace.protocol.check import Check
from marketplace.protocol.identity import Address, OfferId, OrderId
from marketplace.protocol.settlement import WHOLE_BPS, owed_units
from marketplace.protocol.states import Reason


class Conserved:
    """Check 1, from the events alone."""

    def take(self, event: ev.Event, before: Account) -> Iterator[str]:
        match event:
            case ev.CreditWithdrawn(_, token, who, amount):
                pass
            case ev.OrderPlaced(_, _, order):
                head = before.offers[order.offer].offer.head
                token, who, amount = head.token, head.lead, head.bond_units
            case _:
                return
        if amount > before.credits.get((token, who), 0):
            yield f"the credit of {short(who)} in {short(token)} was below zero"

    def check(self, evidence: Evidence, offenders: list[str]) -> Check:
        account, sums, lost = evidence.account, [], []
        owed = account.owed_units()
        for token in tokens(account):
            paid_in = account.paid_in_units.get(token, 0)
            accounted = account.paid_out_units.get(token, 0) + owed.get(token, 0)
            if paid_in != accounted:
                lost.append(f"of {short(token)} {paid_in:,} units were paid in and {accounted:,} are accounted for")
            sums.append(f"{paid_in:,} units of {short(token)}")
        return finding(
            1,
            "Everything paid in was paid out, is a credit, is held by an open order, or is earned and not withdrawn, and "
            "no credit was ever below zero.",
            (*lost, *offenders),
            listed(sums) or "no money has moved",
        )


def covered(evidence: Evidence) -> Check:
    """Check 2, against the balance of the contract."""
    offenders, sums = [], []
    all_owed = evidence.account.owed_units()
    for token in tokens(evidence.account):
        owed, held = all_owed.get(token, 0), evidence.answers.balances[token]
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
        "Only delivered orders were paid for, compute fees and ruled shares are right, and every payout is the share that "
        "its member had earned.",
        offenders,
        f"{counted(len(walk.paid), 'order')} paid for, {counted(walk.payouts, 'payout')}",
    )


def shared(evidence: Evidence) -> Check:
    """Check 22, by what the contract says of earnings and withdrawals where it answers, else by the account."""
    offenders, dust = [], 0
    for offer, view in evidence.account.offers.items():
        answer, members = evidence.answers.offers.get(offer), view.offer.members
        accrued = view.accrued_units if answer is None else answer.accrued_units
        taken = [evidence.answers.withdrawn.get((offer, at), units) for at, units in enumerate(view.withdrawn_units)]
        owed = sum(owed_units(accrued, member.share_bps, units) for member, units in zip(members, taken, strict=True))
        left = accrued - sum(taken) - owed
        dust += left
        if not 0 <= left < len(members):
            offenders.append(f"offer {short(offer)} leaves {left:,} units for its {counted(len(members), 'member')}")
    return finding(
        22,
        "What an offer has earned is owed to its members or was withdrawn by them, but for less than a unit each.",
        offenders,
        f"{counted(len(evidence.account.offers), 'offer')}, {counted(dust, 'unit')} that nobody can withdraw",
    )


def tokens(account: Account) -> list[Address]:
    """Every token in which money has moved. Anyone may offer something for a token that is none."""
    return sorted({*account.paid_in_units, *account.paid_out_units, *(token for token, _ in account.credits)})


class _Earnings:
    """What offers have earned and their members have withdrawn at each moment of history."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._delivered: set[OrderId] = set()
        self._bps: dict[OrderId, int] = {}
        self._withdrawn: dict[tuple[OfferId, int], int] = defaultdict(int)
        self.units: dict[OfferId, int] = defaultdict(int)
        self.paid: set[OrderId] = set()
        self.payouts = 0

    def take(self, event: ev.Event) -> Iterator[str]:
        """The next event; gives what is wrong with it."""
        match event:
            case ev.OrderDelivered(_, order):
                self._delivered.add(order)
            case ev.OrderRuled(_, order, price_bps):
                self._bps[order] = price_bps
            case ev.OrderSettled(_, order) | ev.OrderRefunded(_, order, Reason.RULED):
                yield from self._earn(order, self._bps.get(order, WHOLE_BPS))
            case ev.OrderRefunded(_, order, Reason.REJECTED | Reason.NOT_ACCEPTED | Reason.PERMIT_REVOKED):
                yield from self._earn(order, self._account.offer_of(self._account.orders[order]).head.compute_fee_bps)
            case ev.PayoutWithdrawn():
                yield from self._pay(event)

    def _earn(self, order: OrderId, bps: int) -> Iterator[str]:
        if bps == 0:
            return
        if order not in self._delivered:
            yield f"order {short(order)} was paid for without a delivery"
        offer = self._account.offer_of(self._account.orders[order])
        self.units[offer.id] += (offer.head.cost_units + offer.head.margin_units) * bps // WHOLE_BPS
        self.paid.add(order)

    def _pay(self, payout: ev.PayoutWithdrawn) -> Iterator[str]:
        self.payouts += 1
        member = self._account.offers[payout.offer].offer.members[payout.member]
        key = (payout.offer, payout.member)
        owed = owed_units(self.units[payout.offer], member.share_bps, self._withdrawn[key])
        if payout.amount_units != owed:
            than = "more" if payout.amount_units > owed else "less"
            yield f"member {payout.member} of offer {short(payout.offer)} withdrew {than} than it had earned"
        if payout.provider != member.provider:
            yield f"a payout of offer {short(payout.offer)} went to another than its member {payout.member}"
        self._withdrawn[key] += payout.amount_units
