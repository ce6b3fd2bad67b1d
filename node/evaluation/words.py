"""What a released score is called and says, in words for a reader of the report."""

from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Curve, Specification
from marketplace.scores.curve import CURVE
from marketplace.scores.measure import SUBGROUP

Words = dict[str, tuple[str, str]]
"""By a score's name: what is compared, and how."""

KNOWN: Words = {
    "1way": ("Single columns", "how often each value occurs"),
    "2way": ("Pairs of columns", "which values occur together"),
    "3way": ("Triples of columns", "relations among three"),
    "missingness": ("Missing values", "how often each column is empty"),
    "workload": ("What the buyer asked for", "the combinations of columns named in the order"),
}


def order_words(schema: Schema, specification: Specification) -> Words:
    """The words of the scores that only this order has: of its curves and of its subgroups."""
    curves = enumerate(specification.workload.curves)
    words = {f"{CURVE}{index}": (_curve(curve), "mean distance of two survival curves") for index, curve in curves}
    if specification.subgroups is not None:
        column = schema.column(specification.subgroups)
        for code in range(column.size):
            words[f"{SUBGROUP}{code}"] = (f"{column.name} = {column.text(code)}", "the other columns within this group")
    return words


def score_words(name: str, of_order: Words) -> tuple[str, str]:
    """What the score of this name is called and says."""
    if name in of_order:
        return of_order[name]
    table, within, own = name.rpartition("/")
    ways, _, sample = own.removeprefix("l1_").partition("_")
    title, explanation = KNOWN.get(ways, (own, ""))
    some = f" ({sample.replace('_', ' ')} sets, chosen by the specification's hash)" if sample else ""
    return f"{table}: {title}" if within else title, f"{explanation}{some}"


def _curve(curve: Curve) -> str:
    event = curve.event if curve.occurred is None else f"{curve.event} = {curve.occurred}"
    return f"{curve.time} until {event}" + (f", by {curve.by}" if curve.by else "")
