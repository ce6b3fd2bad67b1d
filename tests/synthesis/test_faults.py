"""Faults planted one by one: each makes the test of the suite fail that the list names, which passes without it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from inspect import signature
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from marketplace.errors import Corrupt
from marketplace.protocol.schema import Schema
from node.evaluation import released
from node.noise import stream
from node.noise.gaussian import discrete_gaussian
from node.noise.selection import choose_allowed
from node.noise.stream import NoiseStream, Stage
from node.synthesis import cells, columns, following, measuring, release, transitions
from node.synthesis.measurements import Measurements
from node.synthesis.records import BinnedRecords, Records
from node.vault import account, bounding, draw
from tests.evaluation import test_released
from tests.noise import test_gaussian
from tests.synthesis import test_power, test_visits
from tests.synthesis.examples import WIDE, measured, rows_of
from tests.vault import test_bounding, test_draw, test_linking

ROWS = rows_of(WIDE, 300)

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """One mistake that somebody could make, and the test that notices. `arguments`: of that test."""

    sentence: str
    plant: Plant
    test: Callable[..., None]
    arguments: tuple[Any, ...] = ()

    def run(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        """The test itself, with the folder or patch that it asks for; a property is tried on the given example alone."""
        test = getattr(getattr(self.test, "hypothesis", None), "inner_test", self.test)
        fixtures = {"tmp_path": folder, "monkeypatch": patch}
        test(*self.arguments, **{name: fixtures[name] for name in signature(test).parameters if name in fixtures})


def every_histogram(spoil: Callable[[np.ndarray, np.ndarray], np.ndarray], only: str = "") -> Plant:
    """Counts spoiled on their way out of the mechanism. `spoil`: from exact counts and noise."""
    honest = measuring.noisy_histogram

    def faulty(noise, stage, names, counts, bound, rho_micro):  # type: ignore[no-untyped-def]
        made = honest(noise, stage, names, counts, bound, rho_micro)
        spoiled = spoil(counts, np.array(made.counts) - counts)
        return replace(made, counts=tuple(spoiled.tolist())) if stage.startswith(only) else made

    return lambda patch: patch.setattr(measuring, "noisy_histogram", faulty)


def sampler(spoil: Callable[[Stage, Fraction, int], np.ndarray], *modules: Any) -> Plant:
    """Another sampler of noise in place of the exact one."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        for module in modules or (release,):
            patch.setattr(module, "discrete_gaussian", spoil)

    return plant


def weak(stage: Stage, sigma2: Fraction, size: int) -> np.ndarray:
    return discrete_gaussian(stage, sigma2 / 4, size)


def rounded_normal(stage: Stage, sigma2: Fraction, size: int) -> np.ndarray:
    drawn = np.random.default_rng(int(stage.words(1)[0])).normal(0, math.sqrt(sigma2), size)
    return np.rint(drawn).astype(np.int64)


def thin(stage: Stage, sigma2: Fraction, size: int) -> np.ndarray:
    return discrete_gaussian(stage, sigma2 * 19 / 20, size)


def smaller(counts: np.ndarray, noise: np.ndarray) -> np.ndarray:
    return counts + np.rint(noise * 0.9).astype(int)


def none_on_zeros(counts: np.ndarray, noise: np.ndarray) -> np.ndarray:
    return np.where(counts == 0, 0, counts + noise)


def never_negative(counts: np.ndarray, noise: np.ndarray) -> np.ndarray:
    return np.maximum(counts + noise, 0)


def cut_off(stage: Stage, sigma2: Fraction, size: int) -> np.ndarray:
    reach = math.floor(2 * math.sqrt(sigma2))
    return np.clip(discrete_gaussian(stage, sigma2, size), -reach, reach)


def one_row_a_person(patch: pytest.MonkeyPatch) -> None:
    honest = measuring.noisy_histogram
    patch.setattr(
        measuring, "noisy_histogram", lambda noise, stage, names, counts, _, rho: honest(noise, stage, names, counts, 1, rho)
    )  # fmt: skip


def counted_twice(patch: pytest.MonkeyPatch) -> None:
    honest = BinnedRecords.marginal
    patch.setattr(BinnedRecords, "marginal", lambda self, places: 2 * honest(self, places))


def exact_rows(patch: pytest.MonkeyPatch) -> None:
    seen = _looking(patch, lambda table: table.num_rows)
    patch.setattr(columns, "total_of", lambda histograms: float(seen[-1]))


def bounds_of_the_data(patch: pytest.MonkeyPatch) -> None:
    seen = _looking(patch, _highest)

    def narrowed(column):  # type: ignore[no-untyped-def]
        width = cells.widths(column)[0]
        starts = np.arange(0, min(column.size, seen[-1] + 1), width, dtype=np.int64)
        return starts, np.minimum(starts + width, column.size)

    patch.setattr(columns, "first_cuts", narrowed)
    patch.setattr(cells, "first_cuts", narrowed)


def bins_of_the_data(patch: pytest.MonkeyPatch) -> None:
    honest, seen = columns.bins_of, _looking(patch, lambda table: table.num_rows)
    patch.setattr(
        columns, "bins_of", lambda column, found: honest(column, replace(found, masses=found.masses + seen[-1] % 37))
    )


def refined_where_the_data_are(patch: pytest.MonkeyPatch) -> None:
    seen = _looking(patch, lambda table: table.num_rows)
    patch.setattr(columns, "worth_cutting", lambda found: np.array([seen[-1] % len(found.starts)]))


def _highest(table: pa.Table) -> int:
    return max((value for column in table.columns for value in column.to_pylist() if value is not None), default=0)


def _looking(patch: pytest.MonkeyPatch, look: Callable[[pa.Table], int]) -> list[int]:
    seen: list[int] = []
    honest = Records.of_table.__func__  # type: ignore[attr-defined]

    def of_table(cls: type[Records], table: pa.Table, schema: Schema) -> Records:
        seen.append(look(table))
        return honest(cls, table, schema)  # type: ignore[no-any-return]

    patch.setattr(Records, "of_table", classmethod(of_table))
    return seen


def greedy(patch: pytest.MonkeyPatch) -> None:
    honest = measuring.Measuring._choose

    def best(self, candidates, scores, *others):  # type: ignore[no-untyped-def]
        return honest(self, [max(candidates, key=lambda pair: scores[pair])], scores, *others)

    patch.setattr(measuring.Measuring, "_choose", best)


def twice_the_epsilon(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        release, "choose_allowed", lambda stage, scores, bound, epsilon, ok: choose_allowed(stage, scores, bound, 2 * epsilon, ok)
    )  # fmt: skip


def doubled_scores(patch: pytest.MonkeyPatch) -> None:
    honest = BinnedRecords.distance
    patch.setattr(BinnedRecords, "distance", lambda self, pair, expected: 2 * honest(self, pair, expected))


def rounded_down(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(release, "rho_micro_of_gaussian", lambda squared, sigma2: math.floor(10**6 * squared / (2 * sigma2)))
    patch.setattr(release, "sigma2_for", lambda rho_micro, squared: Fraction(squared * 10**6, 2 * rho_micro + 1))


def choices_rounded_down(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(release, "rho_micro_of_selection", lambda epsilon: math.floor(10**6 * epsilon**2 / 8))


def uncharged(prefix: str) -> Plant:
    """Stages that are drawn and not entered."""
    honest = measuring.Measuring._release

    def forgetful(self, stage, *others):  # type: ignore[no-untyped-def]
        made = honest(self, stage, *others)
        if stage.startswith(prefix):
            self.histograms.remove(made)
        return made

    return lambda patch: patch.setattr(measuring.Measuring, "_release", forgetful)


def one_noise_for_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(NoiseStream, "_secret", lambda self, _: self._key)


def unbound(*, order: bool, stage: bool) -> Plant:
    """A key that ignores order or stage."""

    def secret(self: NoiseStream, name: str) -> bytes:
        bound = (b"" if order else self._context + b"/") + (b"" if stage else name.encode())
        return stream.hashlib.blake2b(bound, key=self._key, digest_size=32).digest()

    return lambda patch: patch.setattr(NoiseStream, "_secret", secret)


def free_score(patch: pytest.MonkeyPatch) -> None:
    honest = released.release

    def free(exact, sensitivity, name, rho_micro, noise):  # type: ignore[no-untyped-def]
        made, charge = honest(exact, sensitivity, name, rho_micro, noise)
        return made, replace(charge, rho_micro=0) if name == "rows" else charge

    patch.setattr(released, "release", free)


def all_rows_of_a_person(patch: pytest.MonkeyPatch) -> None:
    honest = bounding.bound
    patch.setattr(
        test_bounding, "bound", lambda coded, secret, rows_per_person, holdout_percent: honest(
            coded, secret, rows_per_person=10**6, holdout_percent=holdout_percent
        )
    )  # fmt: skip


def half_a_debit(patch: pytest.MonkeyPatch) -> None:
    honest = account.Account.debit
    patch.setattr(
        account.Account, "debit", lambda self, order, dataset, rho_micro: honest(self, order, dataset, rho_micro // 2)
    )


def fresh_key_on_resuming(patch: pytest.MonkeyPatch) -> None:
    honest = draw.Door._entry
    patch.setattr(
        draw.Door, "_entry", lambda self, *given: replace(honest(self, *given), noise_key=self.randomness(32))
    )


def rows_as_if_one_a_person(patch: pytest.MonkeyPatch) -> None:
    honest = following.noisy_histogram
    patch.setattr(
        following, "noisy_histogram", lambda noise, stage, names, counts, _, rho: honest(noise, stage, names, counts, 1, rho)
    )  # fmt: skip


def transitions_fewer_than_there_are(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(following.Following, "_bound", property(lambda self: self._layout.strand.schema.rows_per_person - 2))


def transitions_counted_twice(patch: pytest.MonkeyPatch) -> None:
    honest = transitions.Followed.binned

    def twice(self, found):  # type: ignore[no-untyped-def]
        made = honest(self, found)
        return replace(made, columns=tuple(np.concatenate([column, column]) for column in made.columns))

    patch.setattr(transitions.Followed, "binned", twice)


def uncharged_gaps(patch: pytest.MonkeyPatch) -> None:
    honest = following.Following._release

    def forgetful(self, stage, *others):  # type: ignore[no-untyped-def]
        made = honest(self, stage, *others)
        if "/gap/" in stage:
            self.histograms.remove(made)
        return made

    patch.setattr(following.Following, "_release", forgetful)


def all_visits_of_a_person(patch: pytest.MonkeyPatch) -> None:
    honest = test_linking.link

    def unbound_rows(coded, schema, secret, *, holdout_percent):  # type: ignore[no-untyped-def]
        tables = tuple(replace(table, schema=replace(table.schema, rows_per_person=1_000)) for table in schema.tables)
        return honest(coded, replace(schema, tables=tables), secret, holdout_percent=holdout_percent)

    patch.setattr(test_linking, "link", unbound_rows)


CLOSE = test_power.test_20000_draws_of_each_stage_on_two_neighbours_are_as_close_as_was_paid
TOTAL = test_power.test_20000_draws_of_the_noisy_total_on_two_neighbours_are_as_its_noise_says
EXACT = test_power.test_every_histogram_is_the_counts_of_the_records_and_the_noise_of_its_own_stage
NOTHING_ELSE = test_power.test_records_reach_nothing_but_the_two_mechanisms
OUTLIER = test_power.test_an_outlier_that_would_widen_the_domain_changes_no_cell_and_no_count_but_its_own
SENSITIVITY = test_power.test_a_person_whose_rows_are_all_alike_reaches_the_sensitivity
SCORE = test_power.test_a_person_moves_no_score_of_a_choice_beyond_the_bound_halved_or_whole
CHARGED = test_power.test_every_draw_is_a_stage_that_is_charged
COST = test_power.test_the_stages_cost_exactly_what_was_given
CHOOSING = test_power.test_draws_of_a_whole_choosing_stage_are_as_close_as_was_paid_and_not_as_a_quarter_would_have_them
SHARED = test_power.test_no_two_orders_and_no_two_stages_share_their_noise
DISTRIBUTION = test_gaussian.test_draws_have_the_exact_probabilities
SCORED = test_released.test_a_release_is_one_draw_of_its_own_stage_at_the_variance_that_it_charges
SPENT = test_released.test_what_is_spent_is_exactly_what_was_offered
DRAWN = test_draw.test_a_draw_hands_out_bounded_rows_of_separate_persons_against_the_whole_rho
RESUMED = test_draw.test_the_same_order_resumes_with_the_same_rows_and_key_and_no_second_debit
KEPT = test_bounding.test_each_person_keeps_as_many_of_its_own_rows_as_the_bound_allows

WHOLE = test_visits.test_20000_draws_of_each_stage_on_neighbours_that_differ_by_a_whole_person_are_as_close_as_was_paid
LINKED_CHARGED = test_visits.test_every_draw_of_persons_and_rows_is_a_stage_that_is_charged
FIRST_IN_TIME = test_linking.test_the_first_rows_in_time_are_used_whatever_the_order_of_the_file
COURSE = {1: ((0, 3), [(day, 0, 7) for day in range(8)])}

FAULTS = (
    Fault("half the noise in one-way counts", sampler(weak), CLOSE, ("one-way counts",)),
    Fault("half the noise in refined counts", sampler(weak), CLOSE, ("refinement",)),
    Fault("half the noise in marginals", sampler(weak), CLOSE, ("marginals",)),
    Fault("half the noise in the number of rows", sampler(weak), TOTAL),
    Fault("noise a tenth too small in marginals", every_histogram(smaller, "marginal/"), EXACT),
    Fault("no noise on empty cells", every_histogram(none_on_zeros), EXACT),
    Fault("no negative counts", every_histogram(never_negative), EXACT),
    Fault("noise cut off at two standard deviations", sampler(cut_off), EXACT),
    Fault("noise of rounded floating-point numbers", sampler(rounded_normal), EXACT),
    Fault("a sampler with 5 % less variance", sampler(thin, test_gaussian), DISTRIBUTION, (Fraction(1),)),
    Fault("one noise for two stages", one_noise_for_all, SHARED),
    Fault("a key that is not bound to its order", unbound(order=True, stage=False), SHARED),
    Fault("a key that is not bound to its stage", unbound(order=False, stage=True), SHARED),
    Fault("the exact number of rows", exact_rows, NOTHING_ELSE),
    Fault("bounds taken from the data", bounds_of_the_data, OUTLIER),
    Fault("cells refined where the data are", refined_where_the_data_are, NOTHING_ELSE),
    Fault("bins cut by exact counts", bins_of_the_data, NOTHING_ELSE),
    Fault("the best pair chosen without noise", greedy, NOTHING_ELSE),
    Fault("a choice at twice the epsilon", twice_the_epsilon, CHOOSING, (1_500,)),
    Fault("a score that one person moves twice as far", doubled_scores, SCORE, ([(0, 0, 0, 0)] * 2, False)),
    Fault("a person bound that is ignored in the charge", one_row_a_person, SENSITIVITY),
    Fault("rows counted twice", counted_twice, SENSITIVITY),
    Fault("all rows of a person used", all_rows_of_a_person, KEPT, ({"a": [(0, 0), (1, 1)]}, 1)),
    Fault("micro-rho of counts rounded down", rounded_down, COST, (30_001, 3, 5)),
    Fault("micro-rho of choices rounded down", choices_rounded_down, COST, (30_001, 3, 5)),
    Fault("refined counts that are not charged", uncharged("cells/1/1"), CHARGED),
    Fault("a marginal that is not charged", uncharged("marginal/2"), CHARGED),
    Fault("a score stage that is not charged", free_score, SPENT, (9_000,)),
    Fault("half the noise in a score stage", sampler(weak, released), SCORED),
    Fault("half of the rho debited", half_a_debit, DRAWN),
    Fault("another noise key when an order resumes", fresh_key_on_resuming, RESUMED),
    Fault("rows under a person charged as if each had one", rows_as_if_one_a_person, WHOLE, ("LIVER",)),
    Fault("transitions charged for one fewer than a person has", transitions_fewer_than_there_are, WHOLE, ("CLINIC",)),
    Fault("transitions counted twice", transitions_counted_twice, WHOLE, ("CLINIC",)),
    Fault("half the noise in rows under persons", sampler(weak), WHOLE, ("CLINIC",)),
    Fault("gaps of time that are not charged", uncharged_gaps, LINKED_CHARGED, ("CLINIC",)),
    Fault("rows of a person beyond the bound used", all_visits_of_a_person, FIRST_IN_TIME, (COURSE, Random(1))),
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.sentence)
def test_a_planted_fault_is_caught_by_the_test_that_is_named(
    fault: Fault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fault.plant(monkeypatch)
    with pytest.raises(AssertionError):
        fault.run(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "fault", {repr((f.test, f.arguments)): f for f in FAULTS}.values(), ids=lambda f: f.test.__name__
)
def test_the_test_that_catches_passes_without_the_fault_on_the_same_arguments(
    fault: Fault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fault.run(tmp_path, monkeypatch)


def test_a_stage_that_was_drawn_before_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = measuring.noisy_histogram
    monkeypatch.setattr(measuring, "noisy_histogram", lambda noise, _, *others: honest(noise, "one for all", *others))
    with pytest.raises(ValueError, match="drawn once"):
        measured(WIDE, ROWS)


def test_measurements_whose_price_was_rounded_down_are_corrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    rounded_down(monkeypatch)
    with pytest.raises(Corrupt, match="cost what its noise says"):
        Measurements.decode(measured(WIDE, ROWS).encode())
