"""Checks of what the contract answers against what its events say, and of the names by which it knows things."""

from collections.abc import Iterator

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, short
from marketplace.ledger import ids
from marketplace.ledger.ledger import DatasetStanding, OfferStanding
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account, DatasetView, OfferView, OrderView
from marketplace.protocol.check import Check
from marketplace.protocol.identity import NOTHING, DeliveryHash
from marketplace.protocol.licence import is_licensed
from marketplace.protocol.order import Standing
from marketplace.protocol.permit import PermitStanding
from marketplace.protocol.settlement import Ruling
from marketplace.protocol.views import PermitView


def expected_dataset(view: DatasetView) -> DatasetStanding:
    """What the contract must answer for a dataset."""
    return DatasetStanding(
        provider=view.provider,
        total_micro=view.total_micro,
        used_micro=view.used_micro,
        exact_total=view.exact_total,
        exact_used=view.exact_used,
        version=len(view.versions),
        epoch=len(view.epochs),
    )


def expected_offer(view: OfferView) -> OfferStanding:
    """What the contract must answer for an offer."""
    return OfferStanding(published=True, retired=view.retired, open=view.open, accrued_units=view.accrued_units)


def expected_order(view: OrderView, account: Account) -> Standing:
    """What the contract must answer for an order."""
    members = account.offer_of(view).members
    ruling = view.ruling or Ruling(0, 0)
    released = sum(1 << index for index, member in enumerate(members) if member.dataset in view.released)
    return Standing(
        state=view.state,
        reason=view.reason,
        deadline_s=view.deadline_s,
        revealed_at_s=view.revealed_at_s,
        released=released,
        price_bps=ruling.price_bps,
        bond_bps=ruling.bond_bps,
        delivery=DeliveryHash(view.delivery_hash or NOTHING),
    )


def expected_permit(view: PermitView) -> PermitStanding:
    """What the contract must answer for a permit."""
    return PermitStanding(
        authority=view.authority,
        holder=view.grant.holder,
        purpose=view.grant.purpose,
        extended=view.extended,
        from_s=view.grant.from_s,
        to_s=view.to_s,
        revoked_at_s=view.revoked_at_s,
    )


def answered(evidence: Evidence) -> Check:
    """Check 3."""
    account, answers = evidence.account, evidence.answers
    asked, placed = len(answers.orders), len(account.orders)
    orders = counted(placed, "order") if asked == placed else f"{asked:,} of {placed:,} orders, evenly spread"
    return finding(
        3,
        "Datasets, offers, orders, credits, withdrawals, permits and licences are for the contract what its events say.",
        (*_disagreements(evidence), *_other_rights(evidence)),
        f"{orders}, {counted(len(answers.credits), 'credit')}, {counted(len(answers.offers), 'offer')}, "
        f"{counted(len(answers.datasets), 'dataset')}, {counted(len(answers.permits), 'permit')}, "
        f"{counted(len(answers.licensed), 'licence')}",
    )


def _other_rights(evidence: Evidence) -> Iterator[str]:
    account, answers = evidence.account, evidence.answers
    for permit, view in account.permits.items():
        if answers.permits.get(permit) != expected_permit(view):
            yield f"permit {short(permit)}"
    for (permit, subject), covered in answers.covers.items():
        if covered != (subject in account.permits[permit].grant.subjects):
            yield f"whether permit {short(permit)} is for {short(subject)}"
    for (order, who), licensed in answers.licensed.items():
        if licensed != is_licensed(account, order, who, answers.asked_at_s):
            yield f"the licence of {short(who)} for order {short(order)}"


def _disagreements(evidence: Evidence) -> Iterator[str]:
    account, answers = evidence.account, evidence.answers
    for dataset, dataset_view in account.datasets.items():
        if answers.datasets.get(dataset) != expected_dataset(dataset_view):
            yield f"dataset {short(dataset)}"
    for offer, offer_view in account.offers.items():
        if answers.offers.get(offer) != expected_offer(offer_view):
            yield f"offer {short(offer)}"
        for index, withdrawn in enumerate(offer_view.withdrawn_units):
            if answers.withdrawn.get((offer, index)) != withdrawn:
                yield f"what member {index} of offer {short(offer)} has withdrawn"
    for order, standing in answers.orders.items():
        if standing != expected_order(account.orders[order], account):
            yield f"order {short(order)}"
    for (token, who), credit in account.credits.items():
        if answers.credits.get((token, who)) != credit:
            yield f"the credit of {short(who)} in {short(token)}"


def named_right(evidence: Evidence) -> Check:
    """Check 8."""
    return finding(
        8,
        "Datasets, offers, orders, deliveries and permits are named by the hash of their parts, for this chain and "
        "contract.",
        _misnamed(evidence),
        counted(len(evidence.events), "event"),
    )


def _misnamed(evidence: Evidence) -> Iterator[str]:
    domain = evidence.domain
    for event in evidence.events:
        match event:
            case ev.DatasetRegistered(_, dataset, provider, salt):
                if dataset != ids.dataset_id(domain, provider, salt):
                    yield f"dataset {short(dataset)}"
            case ev.OfferPublished(_, offer):
                if offer.id != ids.offer_id(domain, offer.head, offer.members):
                    yield f"offer {short(offer.id)}"
            case ev.OrderPlaced(_, order_id, order):
                if order_id != ids.order_id(domain, order):
                    yield f"order {short(order_id)}"
            case ev.OrderDelivered(_, order_id, digest, delivery):
                if digest != ids.delivery_hash(domain, order_id, delivery):
                    yield f"the delivery of order {short(order_id)}"
            case ev.PermitGranted(_, permit, authority, grant):
                if permit != ids.permit_id(domain, authority, grant):
                    yield f"permit {short(permit)}"
