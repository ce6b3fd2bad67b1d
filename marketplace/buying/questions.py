"""Questions to several providers as a buyer writes them down: a JSON list of analyses, each as its specification has it."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from decimal import Decimal, InvalidOperation
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol import canonical
from marketplace.protocol.analysis import Analysis, analysis_of
from marketplace.protocol.analysis_comparisons import MannWhitney, Proportions, Welch
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_genetics import AlleleFrequencies, CaseControl
from marketplace.protocol.analysis_linkage import Linkage
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Mean, Variance
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.analysis_regression import LinearRegression
from marketplace.protocol.analysis_survival import LARGEST_GRID, Survival

LARGEST_BYTES = 2**18
KINDS: Mapping[str, type[Analysis]] = {
    "count": Count,
    "histogram": Histogram,
    "contingency": Contingency,
    "mean": Mean,
    "variance": Variance,
    "quantile": Quantile,
    "survival": Survival,
    "linear regression": LinearRegression,
    "logistic regression": LogisticRegression,
    "cox regression": CoxRegression,
    "welch test": Welch,
    "mann-whitney test": MannWhitney,
    "two proportions": Proportions,
    "allele frequencies": AlleleFrequencies,
    "case-control association": CaseControl,
    "linkage": Linkage,
}
"""What can be asked, by the word for it in a file of questions. The parts of a question are its fields."""
DECIMALS = ("grid", "levels")


def questions_of(data: bytes) -> tuple[Analysis, ...]:
    """The analyses in `data`, such as `[{"kind": "count"}, {"kind": "mean", "column": "age"}]`.

    A part that has a default may be left out. Decimals may be written as numbers, and a grid as
    `{"every": 30, "to": 360}`. Raises `Invalid`, naming its place, for a question that is none.
    """
    try:
        written = canonical.parse(data)
    except ValueError:
        raise Invalid(
            "expected a JSON list of analyses in the file of questions, got something else; write one"
        ) from None
    if not isinstance(written, list) or not written:
        raise Invalid('expected a JSON list of analyses, such as [{"kind": "count"}], got another value; write one')
    return tuple(_question(place, each) for place, each in enumerate(written, 1))


def _question(place: int, written: object) -> Analysis:
    kind = written.get("kind") if isinstance(written, dict) else None
    if not isinstance(written, dict) or not isinstance(kind, str) or kind not in KINDS:
        raise Invalid(f"question {place}: expected one of the kinds {', '.join(KINDS)}; got another; name one")
    parts = {each.name: each.default for each in fields(KINDS[kind])}
    lacking = [name for name, default in parts.items() if default is MISSING and name not in written]
    unknown = sorted(set(written) - {"kind", *parts})
    if lacking or unknown:
        got = [*(f"no {name}" for name in lacking), *(f"{name[:40]!r} beside them" for name in unknown)]
        raise Invalid(
            f"question {place}, {kind}: expected the parts {', '.join(parts) or 'that it has, which are none'}, got "
            f"{' and '.join(got)}; mend the question"
        )
    spelt = {name: default for name, default in parts.items() if default is not MISSING and default is not None}
    try:
        spelt |= written | {name: _decimals(written[name]) for name in DECIMALS if name in written}
        found = analysis_of(spelt)
        if found.document() != spelt:
            raise TypeError
    except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError):
        raise Invalid(
            f"question {place}, {kind}: expected values as in docs/analyses.md, got another for one of "
            f"{', '.join(parts)}; write it as there"
        ) from None
    except Invalid as error:
        raise Invalid(f"question {place}, {kind}: {error}") from None
    return found


def _decimals(value: Any) -> list[str]:
    """Decimals as a specification has them, from texts or numbers, or from the width and the end of a grid."""
    if isinstance(value, dict):
        every, to = (Decimal(str(value[name])) for name in ("every", "to"))
        points = int(to / every) if 0 < every <= to and len(value) == 2 else 0
        if not 1 <= points <= LARGEST_GRID:
            raise ValueError
        return [f"{every * place:f}" for place in range(1, points + 1)]
    if not isinstance(value, list) or any(isinstance(each, bool | list | dict) for each in value):
        raise TypeError
    return [f"{Decimal(str(each)):f}" for each in value]
