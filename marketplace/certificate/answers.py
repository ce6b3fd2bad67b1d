"""What can be checked of the answers to an analysis: that they follow from the sums, and their noise from what was paid."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from marketplace.certificate.certificate import Certificate, Stage, StageKind
from marketplace.certificate.joint import Joint
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol import analysis_answer, analysis_sums
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_noise import Share, shares, variances
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.pool import answered_as
from marketplace.protocol.schema import Schema


def stages_of(parts: Sequence[Sequence[Share]]) -> tuple[Stage, ...]:
    """The noise of each round as a certificate names it."""
    return tuple(
        Stage(
            name=f"{number}/{part.name}",
            kind=StageKind.JOINT_GAUSSIAN,
            rho_micro=part.rho_micro,
            sensitivity=str(part.sensitivity_squared),
            parameter=str(part.sigma2 * part.honest),
        )
        for number, each in enumerate(parts)
        for part in each
    )


def answer_faults(
    files: Mapping[str, Path], certificate: Certificate, specification: AnalysisSpecification, schema: Schema
) -> Iterator[str]:
    """Whether the answers are not those that follow from the sums in `files`, or these are not what was asked for."""
    guarantee = _guarantee(certificate)
    try:
        opened = analysis_sums.decode(files[analysis_sums.SUMS].read_bytes())
        joint = certificate.joint
        noise = (
            () if joint is None else variances(_parts(certificate, joint, specification, schema), len(joint.parties))
        )
        questions = answered_as(specification, guarantee)
        answers = analysis_answer.encode(specification, guarantee, questions.results(schema, opened, noise))
    except (Corrupt, Invalid, Refused, KeyError) as error:
        yield f"the sums are not those that were asked for: {error}"
        return
    except (ArithmeticError, ValueError):
        yield "the sums are none that records could have"
        return
    if answers != files[analysis_answer.ANSWERS].read_bytes():
        yield "the answers do not follow from the sums"


def noise_faults(certificate: Certificate, specification: AnalysisSpecification, schema: Schema) -> Iterator[str]:
    """Whether the noise that the certificate names is not what questions, parties and rho imply."""
    joint = certificate.joint
    if joint is None:
        yield "it names no parties"
        return
    if joint.threshold != specification.threshold:
        yield "its threshold is not the specification's"
    try:
        if joint.lane != specification.lane(_guarantee(certificate)):
            yield "its lane is not the one that the specification takes"
        parts = _parts(certificate, joint, specification, schema)
    except (Invalid, Refused) as error:
        yield str(error)
        return
    if certificate.mechanism.generate != stages_of(parts):
        yield "its noise is not what the questions, the parties and the rho imply"
    if certificate.scores or certificate.curves or certificate.mechanism.evaluate or certificate.attacks:
        yield "it has scores or figures of attacks, which no answer has"


def _guarantee(certificate: Certificate) -> Guarantee:
    return Guarantee.EXACT if certificate.privacy.is_exact else Guarantee.DIFFERENTIALLY_PRIVATE


def _parts(
    certificate: Certificate, joint: Joint, specification: AnalysisSpecification, schema: Schema
) -> tuple[tuple[Share, ...], ...]:
    """The noise of each round that questions, parties and rho imply; none where the order is exact."""
    schedule = specification.schedule(schema)
    if certificate.privacy.is_exact:
        return ()
    rows = joint.rows(schema.rows_per_person)
    return shares(schedule, joint.sums_micro, rows, len(joint.parties), joint.threshold)
