"""Whether a node lets an order in: a pure decision by its provider's rules. Decided before any record is touched."""

from collections.abc import Callable
from dataclasses import dataclass, fields

from marketplace.errors import Invalid, Refused
from marketplace.protocol.description import Description
from marketplace.protocol.identity import NOBODY, Address
from marketplace.protocol.offer import Guarantee, Kind, Offer
from marketplace.protocol.order import Order
from marketplace.protocol.rho import delta_of, epsilon_of
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import ATTESTATION, DEFAULT_GENERATOR, Specification, Workload, standing_in
from marketplace.protocol.specified import Specified
from marketplace.protocol.states import DeclineReason
from marketplace.protocol.unit import PrivacyUnit
from node.evaluation.stages import check_scores
from node.objection import Objection
from node.spending import UNCHARGED, spending_of
from node.synthesis.generators import GENERATORS, generator_of, serving
from node.synthesis.prediction import Prediction, fit_of, predict


@dataclass(frozen=True)
class Rules:
    """A provider's own admission rules, on top of what the offer says.

    `buyers`: the only ones let in; None lets anybody in. `rows_per_declared`: the most synthetic rows per declared row.
    `generators`: the names of those that the node serves. `below_floor`: whether it serves orders whose rows are expected
    to be worse than a shuffle of the columns. `licences`: those under which its operator says that it may sell what a
    generator makes that needs one.
    Of joint analyses, `analyses`: the kinds that are answered, and `columns`: those that may be asked about; None for all.
    `units`: the privacy units that it answers for with others. `threshold_at_least`: for how many dishonest parties the noise
    has to suffice. `smallest_cell`: the smallest number of persons that an exact answer may tell; 1 declares the records
    public. `filters`: the conditions, in words, under which an exact analysis of other records may be asked; without
    conditions it always may. `joint_at_once`: how many joint orders are worked on at the same time, each in two processes.
    """

    epsilon_at_most: float = 10.0
    rows_per_declared: int = 10
    slot_s_at_least: int = 1
    buyers: frozenset[Address] | None = None
    generators: frozenset[str] = frozenset({DEFAULT_GENERATOR})
    below_floor: bool = False
    licences: frozenset[str] = frozenset()
    analyses: frozenset[str] | None = None
    columns: frozenset[str] | None = None
    units: frozenset[PrivacyUnit] = frozenset({PrivacyUnit.PERSON})
    threshold_at_least: int = 1
    smallest_cell: int = 10
    filters: frozenset[str] = frozenset()
    joint_at_once: int = 4


@dataclass(frozen=True)
class Holding:
    """What the vault holds of a dataset: the newest version with its commitment, what its own account has left of the
    budget, and of the allowance of exact orders."""

    version: int
    commitment: bytes
    left_micro: int
    exact_left: int = 0


@dataclass(frozen=True)
class Application:
    """What an order asks of a node for its dataset at `index` of the offer's members.

    `commitment`: the ledger's, to the dataset's newest version. `holding`: None where the vault does not hold the dataset.
    """

    order: Order
    offer: Offer
    specification: Specification
    description: Description
    commitment: bytes
    holding: Holding | None
    index: int = 0


@dataclass(frozen=True)
class StockApplication:
    """What an order for stock asks. `earlier`: the specification that the stock was made by. `kept`: whether the node
    still has it. `flawed`: whether a wrong byte was proven of the earlier delivery."""

    order: Order
    offer: Offer
    specification: Specification
    earlier: Specification
    kept: bool
    flawed: bool


def objection(application: Application, rules: Rules) -> Objection | None:
    """Why the order is turned down; None if it is let in."""
    order, offer, specification = application.order, application.offer, application.specification
    return (
        _objection_to_offer(offer, rules, application.index)
        or objection_to_buyer(order, specification, rules)
        or objection_to_slot(offer, specification, rules)
        or _objection_to_wishes(application, rules)
        or objection_to_generator(offer, specification.generator, application.description.schema, rules)
        or objection_to_holding(order, application.commitment, application.holding, application.index)
        or _objection_to_cost(application)
        or _objection_to_quality(application, rules)
    )


def prediction_of(
    offer: Offer, index: int, specification: Specification, description: Description
) -> Prediction | None:
    """What an order of `offer` is expected to score on the dataset at `index`, from its public documents alone.

    None where `unpredicted` says why. Raises `Invalid` or `Refused` where `_objection_to_cost` would object.
    """
    fit = fit_of(serving(specification.generator, description.schema))
    if fit is None or unpredicted(offer, specification, description):
        return None
    rho_micro = spending_of(offer.members[index].rho_micro).generate_micro
    return predict(description.schema, description.rows_declared, specification, rho_micro, fit)


def unpredicted(offer: Offer, specification: Specification, description: Description) -> str | None:
    """Why no score of such an order is foretold; None where all are. Raises `Invalid` as `serving`."""
    if offer.head.guarantee is Guarantee.EXACT:
        return "predictions were fitted to runs with noise, and an exact result has none"
    name = serving(specification.generator, description.schema)
    if fit_of(name) is None:
        return f"no runs of {name} on public tables are on record"
    return None


def objection_to_stock(application: StockApplication, rules: Rules) -> Objection | None:
    """Why an order for stock is turned down; None if it is let in.

    Stock is sold byte for byte, so such an order has all wishes of the earlier specification, but for its workload, which
    may be left out: a new condition is a new order. What differs is the sealing key, with offer, nonce and slot. Rows and
    rho were let in when the stock was made.
    """
    order, offer, specification = application.order, application.offer, application.specification
    return (
        objection_to_buyer(order, specification, rules)
        or objection_to_slot(offer, specification, rules)
        or _objection_to_stock_wishes(specification, application.earlier)
        or _objection_to_what_is_kept(application)
    )


def objection_to_terms(offer: Offer, rules: Rules, index: int) -> Objection | None:
    """Why this node would never serve what `offer` promises about its dataset at `index`; None if it would, alone or with
    others."""
    head = offer.head
    if head.kind is Kind.TRAIN:
        return Objection(DeclineReason.RULES, "this node makes synthetic twins and joint analyses only")
    if head.guarantee is Guarantee.EXACT:
        return _objection_to_exact(offer)
    if head.unit not in rules.units:
        words = (
            f"the offer protects {head.unit.text}, and a person with records at k providers would lose k * k times the rho; "
            "this provider does not answer for that"
        )
        return Objection(DeclineReason.RULES, words)
    if epsilon_of(offer.members[index].rho_micro, delta_of(head.delta_atto)) > rules.epsilon_at_most:
        return Objection(DeclineReason.RULES, f"this provider promises an epsilon of at most {rules.epsilon_at_most:g}")
    return None


def _objection_to_exact(offer: Offer) -> Objection | None:
    if len(offer.members) > 1 and offer.head.kind is Kind.SYNTHETIC:
        return Objection(DeclineReason.RULES, "this node makes exact results of its own records only")
    if offer.head.authority == NOBODY:
        return Objection(DeclineReason.RULES, "this node makes exact results under an authority's permit only")
    return None


def _objection_to_offer(offer: Offer, rules: Rules, index: int) -> Objection | None:
    if offer.head.kind is not Kind.SYNTHETIC:
        return Objection(DeclineReason.RULES, "one node alone makes synthetic twins only")
    if len(offer.members) > 1:
        return Objection(
            DeclineReason.RULES, "this node makes results of one dataset, an order of this pool needs several"
        )
    return objection_to_terms(offer, rules, index)


def objection_to_buyer(order: Order, specification: Specified, rules: Rules) -> Objection | None:
    """Why this buyer, or one who attests nothing, is not served."""
    if rules.buyers is not None and order.buyer not in rules.buyers:
        return Objection(DeclineReason.RULES, "this provider sells to named buyers only")
    if specification.attestation != ATTESTATION:
        return Objection(DeclineReason.SPECIFICATION, "the specification lacks the attestation of prohibited uses")
    if specification.offer != order.offer:
        return Objection(DeclineReason.SPECIFICATION, "the specification is for another offer")
    return None


def objection_to_slot(offer: Offer, specification: Specified, rules: Rules) -> Objection | None:
    """Why nothing is delivered at such slots."""
    if specification.slot_s < rules.slot_s_at_least:
        return Objection(DeclineReason.RULES, f"delivery slots last at least {rules.slot_s_at_least} s here")
    if specification.slot_s > offer.head.deliver_window_s // 2:
        return Objection(DeclineReason.SPECIFICATION, "the delivery slot does not fit into half of the offer's window")
    return None


def _objection_to_wishes(application: Application, rules: Rules) -> Objection | None:
    specification, description = application.specification, application.description
    if specification.rows > rules.rows_per_declared * description.rows_declared:
        return Objection(DeclineReason.RULES, f"at most {rules.rows_per_declared} synthetic rows for each declared row")
    return _unless(lambda: specification.workload.check(description.schema))


def objection_to_generator(offer: Offer, name: str, schema: Schema, rules: Rules) -> Objection | None:
    """Why no rows are made by the generator of this name, alone or with others."""
    if standing_in(name, schema) not in {standing_in(each, schema) for each in rules.generators}:
        served = ", ".join(sorted(rules.generators)) or "none"
        return Objection(DeclineReason.RULES, f"this node serves other generators: {served}")
    entry = GENERATORS.get(name)
    if entry is None:
        return Objection(DeclineReason.SPECIFICATION, "this node has no generator of this name")
    if entry.exact and offer.head.guarantee is not Guarantee.EXACT:
        return Objection(DeclineReason.RULES, "this generator promises no privacy, it serves exact offers only")
    if entry.licence and offer.head.price_units and entry.licence not in rules.licences:
        return Objection(DeclineReason.RULES, f"this generator is not for sale here without a licence, {entry.licence}")
    return None


def objection_to_holding(order: Order, commitment: bytes, holding: Holding | None, index: int) -> Objection | None:
    """Why the records that `order` names at `index`, of this commitment, are not those that the node holds."""
    if holding is None:
        return Objection(DeclineReason.RECORDS, "this node does not hold the dataset")
    if holding.commitment != commitment:
        return Objection(DeclineReason.RECORDS, "this node does not hold these records")
    if order.version(index) != holding.version:
        return Objection(DeclineReason.RECORDS, f"this node holds version {holding.version} of the dataset")
    return None


def _objection_to_cost(application: Application) -> Objection | None:
    rho_micro, holding = application.offer.members[application.index].rho_micro, application.holding
    is_exact = application.offer.head.guarantee is Guarantee.EXACT
    if is_exact and (holding is None or holding.exact_left < 1):
        words = "the dataset's allowance of exact orders in this node's own account is used up"
        return Objection(DeclineReason.BUDGET, words)
    if not is_exact and (holding is None or rho_micro > holding.left_micro):
        words = "the dataset's budget in this node's own account does not pay for the order"
        return Objection(DeclineReason.BUDGET, words)
    schema, specification = application.description.schema, application.specification

    def served() -> None:
        spending = UNCHARGED if is_exact else spending_of(rho_micro)
        generator_of(serving(specification.generator, schema)).check(schema, specification, spending.generate_micro)
        check_scores(schema, specification, spending.evaluate_micro)

    return _unless(served)


def _objection_to_quality(application: Application, rules: Rules) -> Objection | None:
    if rules.below_floor:
        return None
    prediction = prediction_of(application.offer, application.index, application.specification, application.description)
    if prediction is None or prediction.decisive is None or not prediction.below_floor:
        return None
    score, needed = prediction.decisive, prediction.rows_needed
    pool = f"; with about {needed:,} records like these in all, as in a pool, it would be better" if needed else ""
    words = (
        f"synthetic rows are expected to be worse than a shuffle of the columns: {score.name} {score.value:.2f} where a "
        f"shuffle has {score.floor:.2f}{pool}"
    )
    return Objection(DeclineReason.RULES, words)


def _objection_to_stock_wishes(specification: Specification, earlier: Specification) -> Objection | None:
    if specification.rows != earlier.rows:
        return Objection(DeclineReason.SPECIFICATION, f"the stock has {earlier.rows} rows")
    if specification.workload not in (Workload(), earlier.workload):
        return Objection(DeclineReason.SPECIFICATION, "the stock was made for another workload")
    if specification.generator != earlier.generator:
        return Objection(DeclineReason.SPECIFICATION, "the stock was made by another generator")
    if _made_by(specification) != _made_by(earlier):
        return Objection(DeclineReason.SPECIFICATION, "the stock was made by other wishes; order a new result for them")
    return None


def _made_by(specification: Specification) -> tuple[object, ...]:
    """All that a result follows from, the workload and what belongs to the one sale left out."""
    apart = {"offer", "slot_s", "sealing_key", "nonce", "workload"}
    return tuple(getattr(specification, field.name) for field in fields(specification) if field.name not in apart)


def _objection_to_what_is_kept(application: StockApplication) -> Objection | None:
    if application.flawed:
        return Objection(DeclineReason.RULES, "a wrong byte of the earlier delivery was proven")
    if not application.kept:
        return Objection(DeclineReason.RECORDS, "this node no longer keeps the stock")
    return None


def _unless(served: Callable[[], None]) -> Objection | None:
    """An objection to the specification if `served` says that it cannot be met."""
    try:
        served()
    except (Invalid, Refused) as error:
        return Objection(DeclineReason.SPECIFICATION, str(error))
    return None
