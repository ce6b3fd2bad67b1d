"""What was measured, in the words of the certificate and of the picture."""

from marketplace.certificate.certificate import Mechanism, Stage, StageKind
from marketplace.protocol.schema import Number, Schema
from node.evaluation.histogram import NoisyCounts
from node.evaluation.released import Charge, ReleasedScores
from node.synthesis.cells import first_cuts
from node.synthesis.generator import Gaussian, Measured
from node.synthesis.measurements import Choice


def mechanism_of(measurements: Measured, released: ReleasedScores) -> Mechanism:
    """Generator and stages as the certificate names them: those that made the table, and those that scored it."""
    name, _, version = measurements.generator.partition("/")
    return Mechanism(
        name=name,
        version=version,
        parameters=measurements.parameters,
        generate=tuple(_stage(stage) for stage in measurements.stages),
        evaluate=tuple(_charge(charge) for charge in released.charges),
    )


def noisy_counts(measurements: Measured, schema: Schema) -> tuple[NoisyCounts, ...]:
    """The released one-way counts for the picture: of each column that has them, those of its first cells.

    Left out are numbers of whose rows one first cell holds most: a single block would hide what the finer cells tell.
    """
    found = {histogram.stage: histogram for histogram in measurements.histograms}
    shown = []
    for place, column in enumerate(schema.columns):
        histogram = found.get(f"cells/{place}/0")
        if histogram is None:
            continue
        cells = tuple(range(int(start), int(end)) for start, end in zip(*first_cuts(column), strict=True))
        counts, missing = (histogram.counts[:-1], histogram.counts[-1]) if column.missing else (histogram.counts, None)
        if isinstance(column, Number) and len(cells) < column.size and 2 * max(counts) > sum(counts):
            continue
        shown.append(NoisyCounts(column.name, cells, counts, missing, histogram.stddev))
    return tuple(shown)


def _stage(stage: Choice | Gaussian) -> Stage:
    if isinstance(stage, Choice):
        return Stage(stage.stage, StageKind.EXPONENTIAL, stage.rho_micro, str(stage.sensitivity), str(stage.epsilon))
    return Stage(stage.stage, StageKind.GAUSSIAN, stage.rho_micro, str(stage.sensitivity), str(stage.sigma2))


def _charge(charge: Charge) -> Stage:
    return Stage(charge.name, StageKind.GAUSSIAN, charge.rho_micro, str(charge.sensitivity), str(charge.sigma2))
