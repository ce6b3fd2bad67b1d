"""What only the provider may see: exact scores, copies, attacks. These types say so and do not print their values."""

from dataclasses import dataclass
from typing import Any

from marketplace.protocol import canonical

NOUN, VERSION = "provider-scores", 1
FORMAT = canonical.format_name("provider-evaluation", 1)


class Withheld:
    """A value that shows its type and nothing else, so that no log or traceback carries it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: provider only>"


@dataclass(frozen=True, repr=False)
class Estimate(Withheld):
    """A number with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, repr=False)
class ExactScore(Withheld):
    """One measure, exactly, with bins cut on the training table.

    `training`, `holdout`: distance of the synthetic table from each. `real_on_holdout`: distance of the training table
    from the holdout, what real records of the same source score there. `floor`: of column shuffles of the training
    table from it. `ceiling`: of bootstraps of the training table from it.
    """

    name: str
    training: float
    holdout: float
    real_on_holdout: float
    floor: Estimate
    ceiling: Estimate


@dataclass(frozen=True, repr=False)
class Copies(Withheld):
    """Exact copies. `training`, `holdout`: the share of those records that stand in the synthetic table, word for word.

    Where nothing was learnt by heart the two agree. `synthetic`: the share of synthetic rows that equal a training row.
    """

    training: Estimate
    holdout: Estimate
    synthetic: Estimate


@dataclass(frozen=True, repr=False)
class Attack(Withheld):
    """A membership attack. `auc`: chance is 0.5. `true_positives`: at 1 % false positives, so chance is 0.01.

    `records`: how many training records, and as many holdout records, it had to tell apart.
    """

    auc: Estimate
    true_positives: Estimate
    records: int


@dataclass(frozen=True, repr=False)
class Compared(Withheld):
    """What the synthetic table reaches, beside real records (the ceiling) and its own shuffle (the floor).

    An estimate whose ends are its value has no interval.
    """

    name: str
    synthetic: Estimate
    real: Estimate
    shuffled: Estimate


@dataclass(frozen=True, repr=False)
class Attacked(Withheld):
    """How often an attack succeeds on training records, and on as many `records` of the holdout, the baseline."""

    name: str
    members: Estimate
    others: Estimate
    records: int


@dataclass(frozen=True, repr=False)
class Subgroup(Withheld):
    """One value of the specification's column of subgroups, told by its code. `rows`: training records within it.

    `compared`: first the mean L1 distance of the other columns' distributions from the training records within it, then
    utility and survival there. `attack`, `attacks`, `copies`: on its records alone.
    """

    code: int
    rows: int
    compared: tuple[Compared, ...]
    attack: Attack
    attacks: tuple[Attacked, ...]
    copies: Copies


@dataclass(frozen=True, repr=False)
class Evaluation(Withheld):
    """What a reviewer asks of a synthetic table, on real records. `violations`: synthetic rows that break a constraint."""

    utility: tuple[Compared, ...]
    survival: tuple[Compared, ...]
    fidelity: tuple[Compared, ...]
    attacks: tuple[Attacked, ...]
    subgroups: tuple[Subgroup, ...]
    violations: int
    seed: int

    def encode(self) -> bytes:
        """The canonical bytes, for a file that stays in the node: floats as decimals with six digits."""
        return canonical.encode({"format": FORMAT, "audience": "provider only", **document_of(self)})


@dataclass(frozen=True, repr=False)
class ProviderScores(Withheld):
    """Everything exact about one result. `seed` fixes all that was drawn."""

    training_rows: int
    holdout_rows: int
    scores: tuple[ExactScore, ...]
    copies: Copies
    attack: Attack
    seed: int

    def encode(self) -> bytes:
        """The canonical bytes, for a file that stays in the node: floats as decimals with six digits."""
        format_name = canonical.format_name(NOUN, VERSION)
        return canonical.encode({"format": format_name, "audience": "provider only", **document_of(self)})


def document_of(value: Withheld) -> dict[str, Any]:
    """The parts of a value by name, for canonical JSON: floats as decimals with six digits."""
    return {name: _plain(part) for name, part in vars(value).items()}


def _plain(part: Any) -> Any:
    match part:
        case Withheld():
            return document_of(part)
        case tuple():
            return [_plain(inner) for inner in part]
        case float():
            return f"{part:.6f}"
        case _:
            return part
