"""Released scores: every number that touched records is a mechanism with a cost of its own."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import pyarrow as pa

from marketplace.errors import Refused
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.cells import Bins, Cells
from marketplace.scores.curve import CURVE, Grid, NoisyCurve
from marketplace.scores.measure import Measure, measures, subgroup_measures, table_measures
from marketplace.scores.reference import Reference, references
from marketplace.scores.score import Score, quote, quote_up
from node.evaluation.codes import frame_of
from node.evaluation.stages import ROWS, SUBGROUP_ROWS, SUBGROUPS, shares_of
from node.noise.gaussian import discrete_gaussian, rho_micro_of_gaussian, sigma2_for
from node.noise.stream import NoiseStream


@dataclass(frozen=True)
class Charge:
    """What one stage released and cost.

    `sensitivity`: the most that one person moves the stage's integers, in L2. `sigma2`: variance of the discrete Gaussian
    of each.
    """

    name: str
    rho_micro: int
    sensitivity: int
    sigma2: Fraction


@dataclass(frozen=True)
class Pair:
    """A further table, coded: of the training persons, and of the result."""

    training: pa.Table
    synthetic: pa.Table


@dataclass(frozen=True)
class ReleasedScores:
    """Scores that may leave the node. `rows_noisy`: a noised count of the training rows, at least 1. `curves`: the noisy
    counts of the workload's curves, in order."""

    rows_noisy: int
    scores: tuple[Score, ...]
    charges: tuple[Charge, ...]
    curves: tuple[NoisyCurve, ...] = ()

    @property
    def rho_micro(self) -> int:
        """What all of it cost."""
        return sum(charge.rho_micro for charge in self.charges)


def evaluate(
    training_table: pa.Table,
    synthetic: pa.Table,
    schema: Schema,
    specification: Specification,
    rows_declared: int,
    rho_micro: int,
    noise: NoiseStream,
    progress: Callable[[str, float], None],
    cancelled: Callable[[], bool],
    further: Sequence[Pair] = (),
) -> ReleasedScores:
    """Scores of `synthetic` against the training records for exactly `rho_micro`, with floor and ceiling.

    Both tables are coded; of one person `training_table` holds at most `schema.rows_per_person` = b rows. Neighbours
    differ by all rows of one person.

    Stage `rows`: the number of training rows, sensitivity b, noised to N. It stands in for the exact number n, which
    is never public. Every other stage is one measure with |T| marginals T over public bins (cut on the synthetic
    table) and public sets of columns:
        S = floor(sum over T and cells of |c - N s / m|), c and s counts of training and synthetic rows, m all of s.
    N is public by then. One row moves one c of each T by 1, so b rows move the sum by at most b |T|, a whole number,
    and the floor of it by no more: sensitivity b |T|. The released value is S / (|T| N) with noise, cut to its range.

    Subgroups, the declared values v of one column: stage `subgroup_rows` is the vector of their training rows, which one
    person's b rows move by at most b in L2. Stage `subgroups` is the vector of S over the rows with v, all other columns
    one by one: k of the b rows with v move that S by at most k |T|, so they move the vector by at most b |T| in L1 and
    so in L2. Values that no synthetic row has are left out; which these are is public.

    Curves: stage `curve_<i>` is the vector of counts of (group, event, interval of time) on the declared grid
    (`marketplace.scores.curve`), sensitivity b. Score and noisy curve are both functions of it and of the synthetic table.

    Further tables, `further` in the schema's order: the same two kinds of stages, `<table>/rows` and one for each measure,
    over the table's own rows, of which a person has at most the table's b. Of a table in which the synthetic one has no
    row, which is public, nothing is released.

    Dividing by N where n belongs moves the value by at most |n / N - 1|, since the sum over cells of
    |(c / N - s / m) - (c / n - s / m)| is that. The score's sigma counts this in full; typically a fraction of it is
    felt, because what a wrong N adds where training exceeds synthetic it mostly takes away elsewhere.

    Raises `Refused` if `rho_micro` cannot pay for every stage or `cancelled` says so.
    Source of the cost: Bun and Steinke 2016, Proposition 1.6 and Lemma 1.7 (composition).
    """
    made = frame_of(synthetic, schema)
    seed = specification.digest
    bins = Bins.of(made, schema)
    result = bins.cut(made)
    wanted = measures(schema, specification.workload, seed)
    groups = subgroup_measures(result, specification.subgroups)
    shares = shares_of(schema, specification, rho_micro)
    there = [(table, pair) for table, pair in zip(schema.tables, further, strict=False) if pair.synthetic.num_rows]
    for name in {table.name for table in schema.tables} - {table.name for table, _ in there}:
        shares[ROWS] += sum(shares.pop(stage) for stage in list(shares) if stage.startswith(f"{name}/"))
    if not groups:
        shares[ROWS] += shares.pop(SUBGROUP_ROWS, 0) + shares.pop(SUBGROUPS, 0)
    codes = [frame_of(pair.synthetic, table.schema) for table, pair in zip(schema.tables, further, strict=False)]
    named, subgroups = specification.workload, specification.subgroups
    beside = {each.name: each for each in references(made, schema, named, seed, rows_declared, subgroups, codes)}
    records = frame_of(training_table, schema)
    training, bound = bins.cut(records), schema.rows_per_person
    tell = partial(_go_on, cancelled, progress)
    rows, scores, charges = _scored("", wanted, (training, result), bound, shares, noise, beside, tell)
    for table, pair in there:
        own = table_measures(table, schema, named, seed)
        frames = [frame_of(each, table.schema) for each in (pair.training, pair.synthetic)]
        cut = Bins.of(frames[1], table.schema).cut
        sides, most = (cut(frames[0]), cut(frames[1])), table.schema.rows_per_person
        _, found, charged = _scored(f"{table.name}/", own, sides, most, shares, noise, beside, tell)
        scores += found
        charges += charged
    if groups:
        found, charged = _subgroups(groups, training, result, bound, shares, noise, beside)
        scores += found
        charges += charged
    curves = []
    for index, curve in enumerate(specification.workload.curves):
        _go_on(cancelled, progress, f"{CURVE}{index}", 1.0)
        grid = Grid.of(curve, schema)
        cells, charge = release(
            grid.count(records).ravel().tolist(), bound, f"{CURVE}{index}", shares[f"{CURVE}{index}"], noise
        )
        curves.append(NoisyCurve(tuple(cells), charge.sigma2))
        charges.append(charge)
        scores.append(curves[-1].judged(index, grid, made, seed, rows_declared).score)
    progress("scored", 1.0)
    return ReleasedScores(rows, tuple(scores), tuple(charges), tuple(curves))


def _go_on(cancelled: Callable[[], bool], progress: Callable[[str, float], None], name: str, share: float) -> None:
    if cancelled():
        raise Refused("expected to finish the scores, was told to stop; nothing of them was released")
    progress(f"scoring {name}", share)


def _scored(
    prefix: str,
    wanted: Sequence[Measure],
    cells: tuple[Cells, Cells],
    bound: int,
    shares: dict[str, int],
    noise: NoiseStream,
    beside: dict[str, Reference],
    tell: Callable[[str, float], None],
) -> tuple[int, list[Score], list[Charge]]:
    """The noisy number of training rows of one table, and its scores. `cells`: of training records and of the result.

    `bound`: how many rows of the table a person has at most.
    """
    training, result = cells
    (rows,), sized = release([training.rows], bound, f"{prefix}{ROWS}", shares[f"{prefix}{ROWS}"], noise)
    rows = max(1, rows)
    scores, charges = list[Score](), [sized]
    for index, measure in enumerate(wanted):
        tell(measure.name, index / len(wanted))
        exact = [gap(measure, training, result, rows)]
        noisy, charge = release(exact, bound * len(measure.marginals), measure.name, shares[measure.name], noise)
        charges.append(charge)
        scores.append(_score(measure, noisy[0], rows, charge.sigma2, sized.sigma2, beside[measure.name]))
    return rows, scores, charges


def _subgroups(
    groups: Sequence[Measure],
    training: Cells,
    result: Cells,
    bound: int,
    shares: dict[str, int],
    noise: NoiseStream,
    beside: dict[str, Reference],
) -> tuple[list[Score], list[Charge]]:
    """The score of each subgroup, all of them from two stages: their sizes, and then their gaps."""
    marginals = len(groups[0].marginals)
    sizes, sized = release(
        [group.view(training).rows for group in groups], bound, SUBGROUP_ROWS, shares[SUBGROUP_ROWS], noise
    )
    sizes = [max(1, size) for size in sizes]
    exact = [gap(group, training, result, size) for group, size in zip(groups, sizes, strict=True)]
    noisy, charge = release(exact, bound * marginals, SUBGROUPS, shares[SUBGROUPS], noise)
    found = [
        _score(group, value, size, charge.sigma2, sized.sigma2, beside[group.name])
        for group, value, size in zip(groups, noisy, sizes, strict=True)
    ]
    return found, [sized, charge]


def gap(measure: Measure, training: Cells, synthetic: Cells, rows: int) -> int:
    """The integer that a stage releases with noise, in rows: floor(sum over marginals and cells of |c - rows s / m|).

    m are the synthetic rows that are compared. One more or one less row in `training` moves it by at most one for each
    marginal, and not at all where the measure looks at other rows.
    """
    compared = measure.view(synthetic).rows
    return measure.difference(training, synthetic, compared, rows) // compared


def release(
    exact: Sequence[int], sensitivity: int, name: str, rho_micro: int, noise: NoiseStream
) -> tuple[list[int], Charge]:
    """`exact` with discrete Gaussian noise on each that costs `rho_micro` (>= 1) together, and the charge.

    Draws stage `evaluate/<name>`. `sensitivity`: the most that one person moves `exact` in L2, >= 1.
    Source: as `node.noise.gaussian`.
    """
    sigma2 = sigma2_for(rho_micro, sensitivity**2)
    drawn = discrete_gaussian(noise.stage(f"evaluate/{name}"), sigma2, len(exact)).tolist()
    noisy = [value + int(moved) for value, moved in zip(exact, drawn, strict=True)]
    return noisy, Charge(name, rho_micro_of_gaussian(sensitivity**2, sigma2), sensitivity, sigma2)


def _score(
    measure: Measure, noisy: int, rows: int, sigma2: Fraction, rows_sigma2: Fraction, reference: Reference
) -> Score:
    sets = len(measure.marginals)
    value = Fraction(noisy * measure.largest, 2 * sets * rows)
    sigma = Fraction(math.sqrt(sigma2 / sets**2 + rows_sigma2)) * measure.largest / (2 * rows)
    return Score(
        measure.name,
        quote(min(max(value, Fraction(0)), Fraction(measure.largest))),
        quote_up(min(sigma, Fraction(measure.largest))),
        reference.floor,
        reference.ceiling,
    )
