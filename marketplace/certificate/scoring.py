"""What anyone can compute of a certificate's scores: from the synthetic table, the released counts and public documents."""

from collections.abc import Sequence
from fractions import Fraction

from marketplace.certificate.certificate import Certificate
from marketplace.errors import Corrupt
from marketplace.protocol.description import Description
from marketplace.protocol.specification import Specification
from marketplace.scores.codes import CodedFrame
from marketplace.scores.curve import CURVE, Grid
from marketplace.scores.reference import references


def score_parts(
    codes: CodedFrame,
    further: Sequence[CodedFrame],
    description: Description,
    specification: Specification,
    certificate: Certificate,
) -> dict[str, dict[str, str]]:
    """The parts of every score that follow from public values, by the score's name and the part's.

    Floor and ceiling of each; of curves all parts. `codes`: the synthetic table; `further`: those under its persons, in order.
    Raises `Corrupt` where the released counts are not those of the workload's curves or have another noise than the stage
    that they come from.
    """
    schema, seed, declared = description.schema, certificate.specification, description.rows_declared
    beside = references(codes, schema, specification.workload, seed, declared, specification.subgroups, further)
    parts = {each.name: {"floor": each.floor, "ceiling": each.ceiling} for each in beside}
    curves = specification.workload.curves
    if len(curves) != len(certificate.curves):
        raise Corrupt("expected released counts of each curve of the workload, got others; ask who made it")
    noise = {stage.name: stage.parameter for stage in certificate.mechanism.evaluate}
    for index, (curve, counts) in enumerate(zip(curves, certificate.curves, strict=True)):
        if noise.get(f"{CURVE}{index}") != str(Fraction(counts.sigma2)):
            raise Corrupt(f"expected counts of {CURVE}{index} with the noise of its stage, got others; ask who made it")
        score = counts.judged(index, Grid.of(curve, schema), codes, seed, declared).score
        parts[score.name] = score.document()
    return parts
