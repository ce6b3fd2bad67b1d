"""What can be checked of a twin of pooled records: that its sums are those that all parties signed for, their noise, and that
its scores follow from them and from its table."""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from hashlib import sha256
from math import comb
from pathlib import Path

from marketplace.certificate.agreement import score_faults
from marketplace.certificate.certificate import PLAIN_FRACTION, Certificate, Mechanism, Stage, StageKind
from marketplace.certificate.joint import Joint
from marketplace.errors import Corrupt
from marketplace.protocol.analysis_lane import Lane
from marketplace.protocol.analysis_noise import least_sigma2, rho_micro_of_sum
from marketplace.protocol.analysis_sums import SUMS, decode
from marketplace.protocol.pool import TWIN_THRESHOLD
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.codes import CodedFrame
from marketplace.scores.groups import Grouping
from marketplace.scores.summed import WIDEST, Scored, Scoring

WHOLE = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)

DIGEST = "sums"
"""The parameter of a mechanism that names the opened sums: the SHA-256 of their document, in hexadecimal."""
GROUPS = "groups"
"""How the parameters begin that say in which groups columns enter the sets of one, two, three that are scored."""
COINCIDENCES = "coincidences"
"""The parameter that says in how many buckets of a split table different persons meet at most (`protocol.split`)."""
SKETCH = "sketch"
"""The statistic of which a row moves a cell for each pair of columns."""


def digest_of(sums: bytes) -> tuple[str, str]:
    """The parameter that names the opened sums in the document `sums`."""
    return DIGEST, sha256(sums).hexdigest()


def groups_of(scoring: Scoring) -> tuple[tuple[str, str], ...]:
    """The parameters that say in which groups columns are scored."""
    return tuple((f"{GROUPS}/{width}", grouping.encode()) for width, grouping in enumerate(scoring.groupings, 1))


def scoring_of(mechanism: Mechanism, schema: Schema, specification: Specification) -> Scoring:
    """What a twin's scores are computed from. Raises `Corrupt` where the mechanism does not say in which groups."""
    said = dict(mechanism.parameters)
    texts = (said.get(f"{GROUPS}/{width}", "") for width in range(1, WIDEST + 1))
    return Scoring(schema, specification, tuple(Grouping.decode(text, schema) for text in texts))


def twin_scores(
    files: Mapping[str, Path], mechanism: Mechanism, joint: Joint, scoring: Scoring, table: CodedFrame
) -> Scored:
    """The scores that follow from the sums and the synthetic table's codes. Raises `Corrupt` for the sums of something else."""
    opened, parties = decode(files[SUMS].read_bytes()), len(joint.parties)
    honest, noise = parties - joint.threshold, {}
    for stage in mechanism.evaluate:
        if not PLAIN_FRACTION.fullmatch(stage.parameter) or honest < 1:
            raise Corrupt("expected the variance of each sum's noise, got other parts; ask who made it")
        noise[stage.name.partition("/")[2]] = parties * Fraction(stage.parameter) / honest
    coincidences = _coincidences(mechanism, joint)
    return scoring.scored(opened[-1] if opened else {}, noise, table, coincidences)


def _coincidences(mechanism: Mechanism, joint: Joint) -> int:
    """In how many buckets of a split table different persons meet at most, which all parties sign; 0 of any other."""
    if joint.split is None:
        return 0
    said = dict(mechanism.parameters).get(COINCIDENCES, "")
    if not WHOLE.fullmatch(said):
        raise Corrupt("expected in how many buckets different persons meet at most, got another part; ask who made it")
    return int(said)


def twin_score_faults(
    files: Mapping[str, Path], certificate: Certificate, joint: Joint, scoring: Scoring, table: CodedFrame
) -> Iterator[str]:
    """Where scores and curves do not follow from sums and the table's codes. Raises as `twin_scores`."""
    scored = twin_scores(files, certificate.mechanism, joint, scoring, table)
    yield from score_faults(certificate, {one.name: one.document() for one in scored.scores})
    if certificate.curves != scored.curves:
        yield "its curves are not those of the sums"


def sums_faults(files: Mapping[str, Path], mechanism: Mechanism) -> Iterator[str]:
    """Whether the sums in `files` are not those that the parties signed for, each a stage that was charged."""
    data = files[SUMS].read_bytes()
    if digest_of(data) not in mechanism.parameters:
        yield "the sums are not those that the certificate names"
        return
    try:
        opened = decode(data)
    except Corrupt as error:
        yield str(error)
        return
    names = [f"{number}/{name}" for number, sums in enumerate(opened) for name in sums]
    if sorted(names) != sorted(stage.name for stage in (*mechanism.generate, *mechanism.evaluate)):
        yield "not every sum is a stage that was charged"


def twin_noise_faults(
    files: Mapping[str, Path], mechanism: Mechanism, joint: Joint, schema: Schema, scoring: Scoring
) -> Iterator[str]:
    """Whether some stage's noise does not cover the privacy unit by its price, or all cost more than was paid.

    `schema`: of the table. Of a split one a person's rows at each party move a cell of every column, pair, marginal or scored
    set by 1, as they do in sums (`protocol.crossing.reach_of`)."""
    lane = Lane.CROSSING if joint.split else Lane.SUMS
    if (joint.lane, joint.threshold) != (lane.value, TWIN_THRESHOLD):
        yield "its lane or its threshold is not that of a twin"
    try:
        opened = decode(files[SUMS].read_bytes())
    except Corrupt as error:
        yield str(error)
        return
    cells = {f"{number}/{name}": len(sums) for number, each in enumerate(opened) for name, sums in each.items()}
    pairs, last = comb(len(schema.columns), 2), len(opened) - 1
    moved = {f"{last}/{one.name}": one.row_squared for one in scoring.statistics}
    if moved.keys() != {stage.name for stage in mechanism.evaluate}:
        yield "its scores are of other sums than the specification asks for"
    moved |= {stage.name: pairs if stage.name.split("/")[1:] == [SKETCH] else 1 for stage in mechanism.generate}
    for stage in (*mechanism.generate, *mechanism.evaluate):
        if not _is_covered(stage, cells.get(stage.name, 0), joint, moved.get(stage.name, 0), schema):
            yield f"its stage {stage.name[:60]!r} does not cover {joint.unit.text}"
    if mechanism.rho_generate_micro + mechanism.rho_evaluate_micro > joint.sums_micro:
        yield "its stages cost more than was paid for them"


def _is_covered(stage: Stage, cells: int, joint: Joint, row_squared: int, schema: Schema) -> bool:
    """`row_squared`: the squared length of what one row adds to the stage's cells."""
    honest, rows = len(joint.parties) - joint.threshold, joint.rows(schema.rows_per_person)
    squared = rows * rows * row_squared
    if (
        stage.kind is not StageKind.JOINT_GAUSSIAN
        or stage.sensitivity != str(squared)
        or min(honest, cells, squared) < 1
    ):
        return False
    if not PLAIN_FRACTION.fullmatch(stage.parameter):
        return False
    sigma2 = Fraction(stage.parameter) / honest
    return sigma2 >= least_sigma2(cells) and stage.rho_micro >= rho_micro_of_sum(squared, sigma2, honest, cells)
