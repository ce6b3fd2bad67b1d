"""What can be checked of a twin of pooled records: that its sums are those that all parties signed for, and their noise."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from hashlib import sha256
from math import comb
from pathlib import Path

from marketplace.certificate.certificate import PLAIN_FRACTION, Mechanism, Stage, StageKind
from marketplace.certificate.joint import Joint
from marketplace.errors import Corrupt
from marketplace.protocol.analysis_lane import Lane
from marketplace.protocol.analysis_noise import SMALLEST_SIGMA2, rho_micro_of_sum
from marketplace.protocol.analysis_sums import SUMS, decode
from marketplace.protocol.pool import TWIN_THRESHOLD
from marketplace.protocol.schema import Schema

DIGEST = "sums"
"""The parameter of a mechanism that names the opened sums: the SHA-256 of their document, in hexadecimal."""
SKETCH = "sketch"
"""The statistic of which a row moves a cell for each pair of columns, where it moves one of any other."""


def digest_of(sums: bytes) -> tuple[str, str]:
    """The parameter that names the opened sums in the document `sums`."""
    return DIGEST, sha256(sums).hexdigest()


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
    if sorted(names) != sorted(stage.name for stage in mechanism.generate):
        yield "not every sum is a stage that was charged"


def twin_noise_faults(files: Mapping[str, Path], mechanism: Mechanism, joint: Joint, schema: Schema) -> Iterator[str]:
    """Whether some stage's noise does not cover the privacy unit by its price, or all cost more than was paid."""
    if (joint.lane, joint.threshold) != (Lane.SUMS.value, TWIN_THRESHOLD):
        yield "its lane or its threshold is not that of a twin"
    try:
        opened = decode(files[SUMS].read_bytes())
    except Corrupt as error:
        yield str(error)
        return
    cells = {f"{number}/{name}": len(sums) for number, each in enumerate(opened) for name, sums in each.items()}
    for stage in mechanism.generate:
        if not _is_covered(stage, cells.get(stage.name, 0), joint, schema):
            yield f"its stage {stage.name[:60]!r} does not cover {joint.unit.text}"
    if _spent(mechanism.generate) > joint.sums_micro or mechanism.evaluate:
        yield "its stages cost more than was paid for them"


def _is_covered(stage: Stage, cells: int, joint: Joint, schema: Schema) -> bool:
    honest, rows, columns = (
        len(joint.parties) - joint.threshold,
        joint.rows(schema.rows_per_person),
        len(schema.columns),
    )
    squared = rows * rows * (comb(columns, 2) if stage.name.split("/")[1:] == [SKETCH] else 1)
    if stage.kind is not StageKind.JOINT_GAUSSIAN or stage.sensitivity != str(squared) or honest < 1 or cells < 1:
        return False
    if not PLAIN_FRACTION.fullmatch(stage.parameter):
        return False
    sigma2 = Fraction(stage.parameter) / honest
    return sigma2 >= SMALLEST_SIGMA2 and stage.rho_micro >= rho_micro_of_sum(squared, sigma2, honest, cells)


def _spent(stages: Sequence[Stage]) -> int:
    return sum(stage.rho_micro for stage in stages)
