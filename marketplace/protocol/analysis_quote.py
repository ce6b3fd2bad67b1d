"""What can be told of a joint analysis before it is bought: who learns what, against whom it holds, what it takes."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.protocol import canonical
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_cost import Cost, cost_of_sums
from marketplace.protocol.analysis_lane import Lane
from marketplace.protocol.analysis_noise import Share, rho_micro_of_sum
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.closing_cost import cost_of_closed
from marketplace.protocol.offer import Guarantee, Offer
from marketplace.protocol.pool import TWIN_THRESHOLD, answered_as, noise_of, split_of, together_micro
from marketplace.protocol.rho import delta_of, epsilon_of
from marketplace.protocol.schema import Schema
from marketplace.protocol.unit import PrivacyUnit, unit_of

_DECIMAL = re.compile(r"[0-9]{1,12}\.[0-9]{4}", re.ASCII)


@dataclass(frozen=True)
class Setting:
    """How an analysis is answered. `threshold`: how many dishonest parties the noise is sized against.

    `smallest_cell`: of an exact answer, the fewest persons that a number in it may count; None with noise. `unit`: whom
    noise protects.
    """

    lane: Lane
    parties: int
    threshold: int
    smallest_cell: int | None
    unit: PrivacyUnit = PrivacyUnit.PERSON

    @property
    def is_exact(self) -> bool:
        """Whether no noise is in the answer."""
        return self.smallest_cell is not None

    @property
    def is_public(self) -> bool:
        """Whether the parties declare their records to be public data, so that any number may be told."""
        return self.smallest_cell == 1


def guarantee_words(setting: Setting) -> str:
    """The guarantee in a few words."""
    if not setting.is_exact:
        return "differentially private"
    return "public data, exact" if setting.is_public else f"exact, no cell below {setting.smallest_cell}"


def learned(setting: Setting) -> dict[str, str]:
    """Who learns what, by who it is."""
    hidden = "another party's own numbers, or any record"
    if setting.lane is Lane.CROSSING:
        hidden = "whom another party knows, which persons several know, another's buckets or identifiers, or any record"
        opened = "counts of persons whom both sides know, of every round, with everybody's noise in them"
    elif setting.lane is Lane.CLOSED and not setting.is_exact:
        hidden = "another party's own buckets or identifiers, or any record"
        opened = "how many buckets of identifiers parties have in common or alone, with everybody's noise in them"
    elif setting.lane is Lane.CLOSED:
        opened = "which cells stayed closed or intervals were merged, and all other sums over all parties; of a fit only rows, "
        opened += "every round's coefficients and at the end their errors, of hazards also the mean row"
    elif setting.is_exact:
        opened = "the exact sums over all parties, of every round"
    else:
        opened = "the sums over all parties, of every round, with everybody's noise in them"
    return {
        "every party": opened,
        "the buyer": f"{opened}, and what follows from them",
        "everybody": "the order, the parties, the price and the day, which stand on the ledger; no number of the result",
        "nobody": hidden,
    }


def threats(setting: Setting) -> tuple[str, ...]:
    """Against whom it holds, a sentence each."""
    others = setting.parties - 1 if setting.lane is Lane.SUMS else setting.threshold
    inputs = (
        f"A party's own numbers stay hidden from up to {others} of the {setting.parties} parties together, as long as they "
        "follow the protocol (honest but curious)."
    )
    if setting.is_exact:
        return (inputs, "No noise is in the answer: nothing bounds what it may reveal about one person.")
    honest = setting.parties - setting.threshold
    noise = (
        f"The noise of {honest} parties alone reaches the promise: it holds against up to {setting.threshold} that reveal "
        "theirs. That a party adds its noise, and counts its records truly, nobody else can see."
    )
    if setting.unit is PrivacyUnit.PERSON_AT_PROVIDER:
        several = (
            f"It protects {setting.unit.text}. Nobody checks that no person has records at several: one with records at k of "
            f"them loses k * k times the rho, at all of them {setting.unit.everywhere_micro(1, setting.parties)} times."
        )
        return (inputs, noise, several)
    if setting.lane is not Lane.SUMS:
        key = (
            "The key that puts identifiers into buckets is known to every party and to nobody else, the buyer among them: from a "
            "party it hides nothing, so who sees another's buckets can look persons up in them."
        )
        return (inputs, noise, key)
    return (inputs, noise)


@dataclass(frozen=True)
class Noise:
    """The noise in one statistic's sums. `sigma`: the standard deviation of all parties' noise in a cell, a decimal of
    four digits, in what the statistic counts. `rho_micro`: what opening it costs in one round."""

    name: str
    cells: int
    sigma: str
    rho_micro: int

    def document(self) -> dict[str, Any]:
        """The noise as a value for canonical JSON."""
        return {**vars(self), "rho_micro": str(self.rho_micro)}


@dataclass(frozen=True)
class Forecast:
    """What a node says of a joint analysis. `noise`: of each statistic of the first round; of an exact one none.

    `rounds`: how many times sums are opened. `own_view`: the epsilon that a party's view has, which knows its own noise;
    `outside`: that of the buyer, who knows nobody's; both decimals of four digits, None of an exact one.
    """

    setting: Setting
    rounds: int
    cost: Cost
    noise: tuple[Noise, ...]
    own_view: str | None
    outside: str | None

    def document(self) -> dict[str, Any]:
        """The forecast as a value for canonical JSON."""
        return {
            "lane": self.setting.lane.value,
            "parties": self.setting.parties,
            "threshold": self.setting.threshold,
            "smallest_cell": self.setting.smallest_cell,
            "unit": self.setting.unit.word,
            "rounds": self.rounds,
            "seconds": self.cost.seconds,
            "bytes": str(self.cost.bytes),
            "waits": self.cost.waits,
            "noise": [one.document() for one in self.noise],
            "own_view": self.own_view,
            "outside": self.outside,
        }

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Forecast":
        """The forecast in `document`. Raises `KeyError`, `TypeError` or `ValueError` where it is none."""
        smallest, own_view, outside = document["smallest_cell"], document["own_view"], document["outside"]
        setting = Setting(
            Lane(canonical.text(document["lane"])),
            canonical.whole(document["parties"]),
            canonical.whole(document["threshold"]),
            None if smallest is None else canonical.whole(smallest),
            unit_of(canonical.text(document["unit"])),
        )
        return cls(
            setting,
            canonical.whole(document["rounds"]),
            Cost(
                canonical.whole(document["seconds"]),
                int(canonical.text(document["bytes"])),
                canonical.whole(document["waits"]),
            ),
            tuple(_noise_of(part) for part in document["noise"]),
            None if own_view is None else _decimal(own_view),
            None if outside is None else _decimal(outside),
        )


def forecast_of(offer: Offer, specification: AnalysisSpecification, schemas: Sequence[Schema]) -> Forecast:
    """What can be told of an order with `specification`, from public facts alone. Raises as `noise_of` does.

    `schemas`: of all members, in order.
    """
    parties, noise = len(offer.members), noise_of(offer, specification, schemas)
    exact, threshold = offer.head.guarantee is Guarantee.EXACT, specification.threshold
    questions, delta = answered_as(specification, offer.head.guarantee), delta_of(offer.head.delta_atto)
    schedule = questions.schedule(schemas[0])
    if isinstance(questions, ClosedSpecification):
        cost = cost_of_closed(questions, schemas[0], parties)
    else:
        cost = cost_of_sums(schedule, parties)
    return Forecast(
        Setting(
            specification.lane(offer.head.guarantee), parties, threshold, specification.smallest_cell, offer.head.unit
        ),
        len(schedule),
        cost,
        tuple(
            Noise(share.name, share.cells, f"{math.sqrt(parties * share.sigma2):.4f}", share.rho_micro)
            for share in (noise[0] if noise else ())
        ),
        None if exact else f"{epsilon_of(_seen_micro(noise, parties - 1), delta):.4f}",
        None if exact else f"{epsilon_of(_seen_micro(noise, parties), delta):.4f}",
    )


def forecast_of_twin(offer: Offer, schemas: Sequence[Schema], rounds: int, cost: Cost) -> Forecast:
    """What can be told of an order for a twin of pooled records, or of a split table. `schemas`: of all members, in order;
    `cost`: at most. Raises as `split_of`.

    Which statistics there are follows from what is opened, so their noise is not told. What it costs to see all of them
    falls with the number of parties whose noise one does not know: the price counts on the honest ones alone.
    """
    parties, rho_micro, delta = len(offer.members), together_micro(offer), delta_of(offer.head.delta_atto)
    honest = parties - TWIN_THRESHOLD
    own_view, outside = (
        f"{epsilon_of(-(-rho_micro * honest // unknown), delta):.4f}" for unknown in (parties - 1, parties)
    )
    lane = Lane.SUMS if split_of(offer, schemas) is None else Lane.CROSSING
    setting = Setting(lane, parties, TWIN_THRESHOLD, None, offer.head.unit)
    return Forecast(setting, rounds, cost, (), own_view, outside)


def _seen_micro(noise: Sequence[Sequence[Share]], unknown: int) -> int:
    """The rho of whoever sees all sums and does not know the noise of `unknown` parties."""
    return sum(
        rho_micro_of_sum(share.sensitivity_squared, share.sigma2, unknown, share.cells)
        for shares in noise
        for share in shares
    )


def _noise_of(document: Mapping[str, Any]) -> Noise:
    return Noise(
        canonical.text(document["name"]),
        canonical.whole(document["cells"]),
        _decimal(document["sigma"]),
        int(canonical.text(document["rho_micro"])),
    )


def _decimal(value: object) -> str:
    if not _DECIMAL.fullmatch(canonical.text(value)):
        raise ValueError
    return canonical.text(value)
