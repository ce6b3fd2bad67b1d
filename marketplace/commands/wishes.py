"""What a buyer asks for within an offer, as it is typed: the same options for every command that takes wishes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from marketplace.buying.phrases import condition_of, curve_of, marginal_of, threshold_of
from marketplace.buying.purchase import PLACE_WITHIN_S, Questions
from marketplace.buying.questions import LARGEST_BYTES, questions_of
from marketplace.commands.files import read_file
from marketplace.errors import Invalid
from marketplace.protocol.constraints import Condition
from marketplace.protocol.identity import PermitId
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Workload
from marketplace.protocol.threshold import Threshold

Rows = Annotated[
    int | None,
    typer.Option(
        help="Synthetic rows, or persons with their rows where a schema is linked; by default as many as make the declared "
        "rows."
    ),
]
Marginals = Annotated[
    list[str] | None, typer.Option("--workload", metavar="COLUMNS", help="Columns that matter together: a,b or a,b,c.")
]
Curves = Annotated[
    list[str] | None, typer.Option("--curve", metavar="TIME,EVENT[=VALUE][,BY]", help="A survival curve that matters.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(metavar="CONDITION", help="What every row is to meet: stage=III,IV or age<50 or grade is missing."),
]
Subgroups = Annotated[
    str | None, typer.Option("--subgroups", metavar="COLUMN", help="Also score the result for each value of COLUMN.")
]
AtMost = Annotated[
    list[str] | None,
    typer.Option("--at-most", metavar="SCORE=VALUE", help="Accept only if the released score is at most VALUE."),
]
GeneratorName = Annotated[
    str | None, typer.Option("--generator", metavar="NAME", help="What is to make the rows, if not the default.")
]


QuestionsFile = Annotated[
    Path | None,
    typer.Option(
        "--questions",
        metavar="FILE",
        help="Ask an offer of joint analyses what FILE has, a JSON list as in docs/analyses.md.",
    ),
]
Dishonest = Annotated[
    int, typer.Option("--threshold", min=1, help="How many dishonest parties the noise is to suffice for.")
]


Cell = Annotated[
    int | None, typer.Option("--cell", min=1, help="The smallest number of persons that an exact answer may tell.")
]


def check_alone(*wishes: object) -> None:
    """Raises `Invalid` where there are `wishes` for synthetic rows beside a file of questions."""
    if any(wishes):
        raise Invalid("expected --questions with --only and --threshold alone, got wishes for synthetic rows beside it")


def asked_in(
    file: Path,
    only: tuple[Condition, ...],
    threshold: int,
    slot_s: int,
    permit: PermitId | None = None,
    within_s: int = PLACE_WITHIN_S,
    cell: int | None = None,
) -> Questions:
    """The questions in `file`. Raises `Invalid` as `questions_of` does."""
    analyses = questions_of(read_file(file, LARGEST_BYTES))
    return Questions(analyses, only, threshold, slot_s, permit, within_s, cell)


def workload_of(marginals: Sequence[str] | None, curves: Sequence[str] | None) -> Workload:
    """What matters to the buyer. Raises `Invalid` for a curve of another form."""
    return Workload(tuple(map(marginal_of, marginals or ())), tuple(map(curve_of, curves or ())))


def thresholds_of(at_most: Sequence[str] | None) -> tuple[Threshold, ...]:
    """What released scores are to meet. Raises `Invalid` as `threshold_of` does."""
    return tuple(map(threshold_of, at_most or ()))


def conditions_of(only: Sequence[str] | None, schema: Schema) -> tuple[Condition, ...]:
    """The conditions on rows of `schema`. Raises `Invalid` as `condition_of` does."""
    return tuple(condition_of(text, schema) for text in only or ())
