"""Wishes as a buyer types them in one line, and conditions and constraints as it reads them."""

import csv
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from marketplace.errors import Invalid
from marketplace.protocol.constraints import Condition, Constraint, Implies, Order
from marketplace.protocol.schema import Number, Schema
from marketplace.protocol.specification import Curve
from marketplace.protocol.threshold import Threshold

_PARTS = re.compile(r"\s*(<=|>=|<|>|=|\bis\b)(.*)", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)
_PRESENCE = {"missing": False, "there": True}


def marginal_of(text: str) -> tuple[str, ...]:
    """The columns in `a,b` or `a,b,c`."""
    return tuple(name.strip() for name in text.split(","))


def curve_of(text: str) -> Curve:
    """The survival curve in `TIME,EVENT` or `TIME,EVENT,BY`; `EVENT=VALUE` names the value that counts.

    Raises `Invalid` for another number of columns.
    """
    time, event, by, *more = (*marginal_of(text), "", "")
    if not time or not event or any(more):
        raise Invalid(f"expected a curve as TIME,EVENT or TIME,EVENT,BY, got {text[:60]!r}; name two or three columns")
    name, _, occurred = event.partition("=")
    return Curve(time, name, by or None, occurred or None)


def threshold_of(text: str) -> Threshold:
    """The threshold in `SCORE=MOST`, such as `l1_2way=0.1`. Raises `Invalid` for another form."""
    score, _, at_most = text.partition("=")
    return Threshold(score.strip(), at_most.strip())


def condition_of(text: str, schema: Schema) -> Condition:
    """The condition in `stage=III,IV`, `age<50`, `age>=18`, `grade is missing` or `grade is there`.

    Categories that hold a comma stand in double quotes. Raises `Invalid`, naming the column, for a column that `schema`
    does not have, another form, or what no declared value can meet.
    """
    text = text.strip()
    fitting = [name for name in schema.names if text.startswith(name)]
    found = {name: parts for name in fitting if (parts := _PARTS.fullmatch(text[len(name) :]))}
    if not found:
        form = "as in stage=III,IV or age<50 or age is missing"
        hint = f", the columns are {', '.join(schema.names)}" if not fitting else ""
        raise Invalid(f"expected a condition {form}, got {text[:60]!r}{hint}; name a column of the schema")
    name = max(found, key=len)
    condition = _condition(schema, name, found[name][1], found[name][2].strip())
    condition.spans(schema.column(name))
    return condition


def condition_text(condition: Condition) -> str:
    """A condition in words."""
    if condition.present is not None:
        return f"{condition.column} is {'there' if condition.present else 'missing'}"
    if condition.values:
        return f"{condition.column} is {' or '.join(condition.values)}"
    if condition.lower is not None and condition.lower == condition.upper:
        return f"{condition.column} is {condition.lower:f}"
    bounds = (("at least", condition.lower), ("at most", condition.upper))
    return f"{condition.column} is " + " and ".join(
        f"{words} {bound:f}" for words, bound in bounds if bound is not None
    )


def constraint_text(constraint: Constraint) -> str:
    """A constraint in words."""
    if isinstance(constraint, Implies):
        return f"where {condition_text(constraint.when)}, {condition_text(constraint.then)}"
    if isinstance(constraint, Order):
        return f"{constraint.earlier} is at most {constraint.later}"
    return f"{' + '.join(constraint.parts)} = {constraint.total}"


def _condition(schema: Schema, name: str, sign: str, given: str) -> Condition:
    column = schema.column(name)
    if sign == "is":
        if given not in _PRESENCE:
            raise Invalid(f"condition on {name!r}: expected `is missing` or `is there`, got another word; write one")
        return Condition(name, present=_PRESENCE[given])
    if not isinstance(column, Number):
        if sign != "=":
            raise Invalid(f"condition on {name!r}: expected = and values of a category, got {sign}; name values")
        values = next(csv.reader([" ".join(given.splitlines())], skipinitialspace=True), [])
        return Condition(name, values=tuple(value if value in column.values else value.strip() for value in values))
    if not _NUMBER.fullmatch(given):
        raise Invalid(f"condition on {name!r}: expected a number behind {sign}, got {given[:40]!r}; give one in digits")
    bound = Decimal(given)
    steps = (bound - column.lower) / column.step
    match sign:
        case "=":
            return Condition(name, lower=bound, upper=bound)
        case "<=":
            return Condition(name, upper=bound)
        case ">=":
            return Condition(name, lower=bound)
        case "<":
            code = int(steps.to_integral_value(ROUND_CEILING)) - 1
            return Condition(name, upper=column.lower + code * column.step)
        case _:
            code = int(steps.to_integral_value(ROUND_FLOOR)) + 1
            return Condition(name, lower=column.lower + code * column.step)
