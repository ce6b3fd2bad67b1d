"""Which stages an order's released scores have, and what each may spend: from schema, specification and rho alone."""

from marketplace.errors import Refused
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.curve import CURVE
from marketplace.scores.measure import measures, table_measures
from marketplace.scores.thresholds import check_thresholds

ROWS, SUBGROUP_ROWS, SUBGROUPS = "rows", "subgroup_rows", "subgroups"
WEIGHTS = (("l1_1way", 2), ("l1_2way", 3), ("l1_3way", 6), ("missingness", 1), ("workload", 4))
ROWS_WEIGHT, SUBGROUP_ROWS_WEIGHT, SUBGROUPS_WEIGHT, CURVES_WEIGHT = 5, 2, 4, 12


def check_scores(schema: Schema, specification: Specification, rho_micro: int) -> None:
    """Raises `Refused` if `rho_micro` cannot pay for every score, `Invalid` for a threshold on a score that none is."""
    shares_of(schema, specification, rho_micro)
    check_thresholds(schema, specification)


def shares_of(schema: Schema, specification: Specification, rho_micro: int) -> dict[str, int]:
    """What each stage may spend, by weight, in micro-rho of 1 or more, in order; the last takes the remainder.

    Raises `Refused` if `rho_micro` is too small.
    """
    weights = _weights(schema, specification)
    total = sum(weights.values())
    if rho_micro < total:
        raise Refused(
            f"expected at least {total} micro-rho for the scores of this order, got {rho_micro}; ask for fewer curves, or "
            "buy from an offer of more rho"
        )
    shares = {name: rho_micro * weight // total for name, weight in weights.items()}
    last = next(reversed(shares))
    shares[last] += rho_micro - sum(shares.values())
    return shares


def _weights(schema: Schema, specification: Specification) -> dict[str, int]:
    weights = {ROWS: ROWS_WEIGHT}
    for measure in measures(schema, specification.workload, specification.digest):
        weights[measure.name] = next(weight for name, weight in WEIGHTS if measure.name.startswith(name))
    for table in schema.tables:
        weights[f"{table.name}/{ROWS}"] = ROWS_WEIGHT
        for measure in table_measures(table, schema, specification.workload, specification.digest):
            own = measure.name.removeprefix(f"{table.name}/")
            weights[measure.name] = next(weight for name, weight in WEIGHTS if own.startswith(name))
    if specification.subgroups is not None and len(schema.columns) > 1:
        weights |= {SUBGROUP_ROWS: SUBGROUP_ROWS_WEIGHT, SUBGROUPS: SUBGROUPS_WEIGHT}
    curves = specification.workload.curves
    return weights | {f"{CURVE}{index}": max(1, CURVES_WEIGHT // len(curves)) for index in range(len(curves))}
