"""Whether released scores keep a buyer's thresholds: a function of public numbers alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.protocol.threshold import Threshold
from marketplace.scores.curve import CURVE
from marketplace.scores.measure import SUBGROUP, measures, table_measures
from marketplace.scores.score import Score
from marketplace.scores.summed import summed_measures


@dataclass(frozen=True)
class Judgement:
    """A threshold, and whether the released score is met by it. A score that was not released does not meet it."""

    threshold: Threshold
    met: bool

    def document(self) -> dict[str, Any]:
        """The judgement as a value for canonical JSON."""
        return {"score": self.threshold.score, "at_most": self.threshold.at_most, "met": self.met}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Judgement":
        """The judgement in `document`. Raises `Corrupt` where a part is missing, of another kind, or one too many."""
        try:
            score, at_most, met = (document[name] for name in ("score", "at_most", "met"))
            if len(document) != 3 or not isinstance(met, bool):
                raise TypeError
            return cls(Threshold(score, at_most), met)
        except (KeyError, TypeError, Invalid):
            raise Corrupt("expected a threshold's score, its most and whether it is met; got other parts") from None


def check_thresholds(schema: Schema, specification: Specification, *, pooled: bool = False) -> None:
    """Raises `Invalid` for a threshold on a score that no result of this specification can have.

    `pooled`: whether the records are those of several providers, whose sums are scored.
    """
    if not specification.thresholds:
        return
    workload, seed = specification.workload, specification.digest
    own = summed_measures(schema, specification) if pooled else measures(schema, workload, seed)
    names = {measure.name for measure in own}
    for table in schema.tables:
        own = table_measures(table, schema, workload, seed)
        names |= {measure.name for measure in own}
    names |= {f"{CURVE}{index}" for index in range(len(specification.workload.curves))}
    if specification.subgroups is not None:
        names |= {f"{SUBGROUP}{code}" for code in range(schema.column(specification.subgroups).size)}
    for threshold in specification.thresholds:
        if threshold.score not in names:
            raise Invalid(
                f"expected a threshold on one of the scores {', '.join(sorted(names))}; got {threshold.score!r}"
            )


def judge(thresholds: Sequence[Threshold], scores: Sequence[Score]) -> tuple[Judgement, ...]:
    """Each threshold with whether the released value, as it is quoted, is at most what it says."""
    values = {score.name: Fraction(score.value) for score in scores}
    return tuple(
        Judgement(each, each.score in values and values[each.score] <= Fraction(each.at_most)) for each in thresholds
    )
