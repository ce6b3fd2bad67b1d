"""What attacks on public data reached against a version of a generator: nothing here is about an order's records."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from marketplace.errors import Corrupt, Invalid
from marketplace.scores.score import QUOTE


@dataclass(frozen=True)
class PublicFigure:
    """What one attack reached over `fits` models of one public data set.

    `setting`: the epsilon of each model, or the control that it was. `records`: trained on by each; `rows`: synthetic
    rows that the attacker saw of each. `value` with its 95 % interval `low` to `high`, over fits; `baseline`: what the
    same attack reaches on records that were not trained on, or by guessing; `maximum`: the most that the setting's
    rho lets any attack reach beside that baseline, None where the setting promises nothing. All of these five are
    decimals with six digits.
    """

    dataset: str
    setting: str
    attack: str
    measure: str
    value: str
    low: str
    high: str
    baseline: str
    maximum: str | None
    fits: int
    records: int
    rows: int

    def __post_init__(self) -> None:
        decimals = (self.value, self.low, self.high, self.baseline, self.maximum or self.value)
        if not all(isinstance(part, str) and QUOTE.fullmatch(part) for part in decimals):
            raise Invalid(f"attack {self.attack!r}: expected decimals with six digits")
        texts, numbers = (self.dataset, self.setting, self.attack, self.measure), (self.fits, self.records, self.rows)
        if not all(isinstance(text, str) for text in texts) or not all(type(n) is int and n > 0 for n in numbers):
            raise Invalid(f"attack {self.attack!r}: expected four texts and three whole numbers above 0")


@dataclass(frozen=True)
class PublicAttacks:
    """All public figures of one version of a generator, none where nobody has attacked it yet.

    `code`: hash of the sources that were attacked; `made`: the day, as YYYY-MM-DD. Both are empty without figures.
    """

    generator: str
    code: str
    made: str
    figures: tuple[PublicFigure, ...]

    @property
    def sentence(self) -> str:
        """What a reader of a certificate has to know about the figures before reading them."""
        if not self.figures:
            return f"No attacks on public data are on record for {self.generator}."
        return (
            f"Attacks on public data against {self.generator}, made {self.made}; not about the records of this order."
        )

    def document(self) -> dict[str, Any]:
        """The figures as a value for canonical JSON."""
        return {**asdict(self), "figures": [asdict(figure) for figure in self.figures]}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "PublicAttacks":
        """The figures in `document`. Raises `Corrupt` where a part is missing, of another kind, or one too many."""
        try:
            if set(document) != {field.name for field in fields(cls)}:
                raise TypeError
            texts = {name: document[name] for name in ("generator", "code", "made")}
            if not all(isinstance(text, str) for text in texts.values()):
                raise TypeError
            return cls(**texts, figures=tuple(PublicFigure(**figure) for figure in document["figures"]))
        except (TypeError, Invalid):
            raise Corrupt("expected public figures of attacks, got other parts; install this version again") from None
