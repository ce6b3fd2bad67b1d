"""Whether a node takes part in an order that several answer together: a pure decision, made by each for itself."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from marketplace.buying.phrases import condition_text
from marketplace.errors import Invalid, Refused
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.exactness import check_exact
from marketplace.protocol.offer import Kind
from marketplace.protocol.pool import check_members, noise_of
from marketplace.protocol.specification import Specification
from marketplace.protocol.states import DeclineReason
from marketplace.scores.thresholds import check_thresholds
from node.admission import (
    Holding,
    Rules,
    objection_to_buyer,
    objection_to_generator,
    objection_to_holding,
    objection_to_slot,
    objection_to_terms,
)
from node.objection import Objection
from node.pool.joint import JointCommission
from node.twin.vertical import VerticalTwin


@dataclass(frozen=True)
class JointApplication:
    """What an order asks of this node as one of several.

    `holding`: None where the vault does not hold the dataset. `skew`: what is wrong with this machine's clock, in words; None
    where nothing is known to be. `identified`: whether identifiers of the dataset are kept.
    """

    commission: JointCommission
    holding: Holding | None
    skew: str | None
    identified: bool = False


def objection_to_joint(application: JointApplication, rules: Rules) -> Objection | None:
    """Why this node takes no part; None if it does."""
    made = application.commission
    order, offer, specification = made.order.order, made.offer, made.specification
    return (
        _objection_to_clock(application)
        or objection_to_terms(offer, rules, made.index)
        or objection_to_buyer(order, specification, rules)
        or objection_to_slot(offer, specification, rules)
        or _objection_to_threshold(made, rules)
        or _objection_to_wishes(made, rules)
        or _objection_to_matching(application)
        or _objection_to_exact(made, rules)
        or objection_to_holding(order, made.own.version.commitment, application.holding, made.index)
        or _objection_to_cost(application)
    )


def _objection_to_clock(application: JointApplication) -> Objection | None:
    return Objection(DeclineReason.CAPACITY, application.skew) if application.skew else None


def _objection_to_threshold(made: JointCommission, rules: Rules) -> Objection | None:
    if made.threshold < rules.threshold_at_least:
        words = f"this provider counts on at most {len(made.sources) - rules.threshold_at_least} honest parties"
        return Objection(DeclineReason.RULES, words)
    return None


def _objection_to_wishes(made: JointCommission, rules: Rules) -> Objection | None:
    specification, kind = made.specification, made.offer.head.kind
    if isinstance(specification, AnalysisSpecification) and kind is Kind.ANALYSIS:
        return _objection_to_questions(made, specification, rules)
    if isinstance(specification, Specification) and kind is Kind.SYNTHETIC:
        return _objection_to_twin(made, specification, rules)
    return Objection(DeclineReason.SPECIFICATION, "an order of analyses names an analysis, one of rows wishes for rows")


def _objection_to_twin(made: JointCommission, specification: Specification, rules: Rules) -> Objection | None:
    """Why this node takes no part in a twin of pooled records. It asks about every column."""
    declared = sum(source.description.rows_declared for source in made.sources)
    if specification.rows > rules.rows_per_declared * declared:
        return Objection(DeclineReason.RULES, f"at most {rules.rows_per_declared} synthetic rows for each declared row")
    if rules.columns is not None and (hidden := set(made.schema.names) - rules.columns):
        return _objection_to_columns(hidden)
    try:
        check_members(made.offer, made.threshold, made.schemas)
        twin = made.twin(specification)
        twin.check() if isinstance(twin, VerticalTwin) else twin.check(made.schema)
        check_thresholds(made.table, specification, pooled=True)
    except (Invalid, Refused) as error:
        return Objection(DeclineReason.SPECIFICATION, str(error))
    return objection_to_generator(made.offer, specification.generator, made.schema, rules)


def _objection_to_columns(hidden: AbstractSet[str]) -> Objection:
    return Objection(
        DeclineReason.RULES, f"this provider answers nothing about the columns {', '.join(sorted(hidden))}"
    )


def _objection_to_questions(
    made: JointCommission, specification: AnalysisSpecification, rules: Rules
) -> Objection | None:
    for analysis in specification.analyses:
        kind = analysis.document()["kind"]
        if rules.analyses is not None and kind not in rules.analyses:
            return Objection(DeclineReason.RULES, f"this provider answers no analysis of the kind {kind!r}")
    asked = {name for analysis in specification.analyses for name in analysis.columns}
    hidden = asked | {condition.column for condition in specification.only}
    if rules.columns is not None and (hidden := hidden - rules.columns):
        return _objection_to_columns(hidden)
    try:
        noise_of(made.offer, specification, made.schemas)
    except (Invalid, Refused) as error:
        return Objection(DeclineReason.SPECIFICATION, str(error))
    return None


def _objection_to_matching(application: JointApplication) -> Objection | None:
    if application.commission.matches and not application.identified:
        words = (
            "this provider keeps no identifiers of the dataset, so its persons cannot be matched with those of others"
        )
        return Objection(DeclineReason.RECORDS, words)
    return None


def _objection_to_exact(made: JointCommission, rules: Rules) -> Objection | None:
    specification = made.specification
    if made.is_exact and isinstance(specification, AnalysisSpecification):
        only = "; ".join(sorted(map(condition_text, specification.only)))
        try:
            check_exact(specification, made.schema, rules.smallest_cell, rules.filters, only)
        except Refused as error:
            return Objection(DeclineReason.RULES, str(error))
    return None


def _objection_to_cost(application: JointApplication) -> Objection | None:
    made, holding = application.commission, application.holding
    if made.is_exact:
        if holding is None or holding.exact_left < 1:
            words = "the dataset's allowance of exact orders in this node's own account is used up"
            return Objection(DeclineReason.BUDGET, words)
        return None
    if holding is None or made.own.member.rho_micro > holding.left_micro:
        words = "the dataset's budget in this node's own account does not pay for the order"
        return Objection(DeclineReason.BUDGET, words)
    return None
