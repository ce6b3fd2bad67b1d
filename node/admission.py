"""Whether a node lets an order in: a pure decision by its provider's rules. Decided before any record is touched."""

from dataclasses import dataclass

from marketplace.errors import Invalid, Refused
from marketplace.protocol.description import Description
from marketplace.protocol.identity import Address
from marketplace.protocol.offer import Guarantee, Kind, Offer
from marketplace.protocol.order import Order
from marketplace.protocol.rho import delta_of, epsilon_of
from marketplace.protocol.specification import ATTESTATION, Specification
from node.spending import spending_of
from node.synthesis.marginals import PrivateMarginals


@dataclass(frozen=True)
class Rules:
    """A provider's own admission rules, on top of what the offer says.

    `buyers`: the only ones let in; None lets anybody in. `rows_per_declared`: the most synthetic rows per declared row.
    """

    epsilon_at_most: float = 10.0
    rows_per_declared: int = 10
    slot_s_at_least: int = 1
    buyers: frozenset[Address] | None = None


@dataclass(frozen=True)
class Application:
    """What an order asks of a node. `held_version`: the newest version in the vault. `left_micro`: the vault's budget."""

    order: Order
    offer: Offer
    specification: Specification
    description: Description
    held_version: int
    left_micro: int
    share_index: int = 0


def objection(application: Application, rules: Rules) -> str | None:
    """Why the order is declined, in words that name no record; None if it is let in."""
    for rule in (_objection_to_offer, _objection_to_buyer, _objection_to_wishes, _objection_to_cost):
        found = rule(application, rules)
        if found is not None:
            return found
    return None


def _objection_to_offer(application: Application, rules: Rules) -> str | None:
    head = application.offer.head
    if head.kind is not Kind.SYNTHETIC or head.guarantee is not Guarantee.DIFFERENTIALLY_PRIVATE:
        return "this node makes synthetic twins with a differential-privacy guarantee only"
    member = application.offer.members[application.share_index]
    if epsilon_of(member.rho_micro, delta_of(head.delta_atto)) > rules.epsilon_at_most:
        return f"this provider promises an epsilon of at most {rules.epsilon_at_most:g}"
    if application.order.version(application.share_index) != application.held_version:
        return f"this node holds version {application.held_version} of the dataset"
    return None


def _objection_to_buyer(application: Application, rules: Rules) -> str | None:
    if rules.buyers is not None and application.order.buyer not in rules.buyers:
        return "this provider sells to named buyers only"
    if application.specification.attestation != ATTESTATION:
        return "the specification lacks the attestation of prohibited uses"
    return None


def _objection_to_wishes(application: Application, rules: Rules) -> str | None:
    specification, description = application.specification, application.description
    if specification.offer != application.order.offer:
        return "the specification is for another offer"
    if specification.rows > rules.rows_per_declared * description.rows_declared:
        return f"at most {rules.rows_per_declared} synthetic rows for each declared row"
    if (
        specification.slot_s < rules.slot_s_at_least
        or specification.slot_s > application.offer.head.deliver_window_s // 2
    ):
        return "the delivery slot does not fit the provider's rules and the offer's window"
    try:
        specification.workload.check(description.schema)
    except Invalid as error:
        return str(error)
    return None


def _objection_to_cost(application: Application, rules: Rules) -> str | None:
    rho_micro = application.offer.members[application.share_index].rho_micro
    if rho_micro > application.left_micro:
        return "the dataset's budget in this node's own account does not pay for the order"
    try:
        generate_micro = spending_of(rho_micro).generate_micro
        PrivateMarginals().check(application.description.schema, application.specification, generate_micro)
    except (Invalid, Refused) as error:
        return str(error)
    return None
