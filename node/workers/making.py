"""Making a synthetic twin: the one draw of an order, from records to the files of its result."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from marketplace.certificate.certificate import Mechanism, Stage, StageKind
from marketplace.errors import Corrupt
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol import result
from marketplace.protocol.description import Description
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.environment import this_environment
from node.evaluation import picture
from node.evaluation.attack import SMALLEST_HOLDOUT
from node.evaluation.exact import evaluate_exactly
from node.evaluation.histogram import NoisyCounts
from node.evaluation.provider_report import provider_report
from node.evaluation.released import Charge, ReleasedScores, evaluate
from node.evaluation.report import Promise, Subject, report
from node.files import whole_file, write_whole
from node.noise.stream import NoiseStream
from node.outcome import Outcome
from node.spending import Spending, spending_of
from node.synthesis.cells import first_cuts
from node.synthesis.marginals import NAME, PrivateMarginals
from node.synthesis.measurements import Choice, Histogram, Measurements
from node.vault import csv_text
from node.vault.draw import Draw
from node.vault.vault import Vault
from node.workers.job import Job, Name

NOISE_COMMITMENT_TAG = b"agora/noise-commitment/1"
SEED_STAGE = "synthesise/seed"
PROVIDER_SEED = 20_250_101
GENERATOR = PrivateMarginals()
WORDS = "noisy low-dimensional counts and a graphical model fitted to them"
Note = Callable[[str], None]


def make(folder: Path, storage_key: bytes, note: Note) -> None:
    """Does the work that the job in `folder` describes, and leaves the result's files and the outcome there.

    The outcome is written last. Done again after a crash it makes the same draw: the vault hands out the same noise key
    and debits nothing twice, and measurements that were journalled are not made again. Raises what the vault, the
    generator and the disk raise; before the vault's debit no record has been touched.
    """
    job = Job.decode((folder / Name.JOB).read_bytes())
    specification = Specification.decode((folder / Name.SPECIFICATION).read_bytes())
    description = Description.decode((folder / Name.DESCRIPTION).read_bytes())
    spending = spending_of(job.rho_micro)
    GENERATOR.check(description.schema, specification, spending.generate_micro)
    draw = _draw(job, description, storage_key)
    noise = NoiseStream(draw.noise_key, _noise_context(job, specification))
    measurements = _measure(folder, draw, specification, spending, noise, note)
    work = _Work(folder, job, specification, description, draw, measurements, spending, noise, note)
    work.finish()


class _Work:
    """Everything after the measurements: post-processing, released scores, reports."""

    def __init__(
        self,
        folder: Path,
        job: Job,
        specification: Specification,
        description: Description,
        draw: Draw,
        measurements: Measurements,
        spending: Spending,
        noise: NoiseStream,
        note: Note,
    ) -> None:
        self._folder, self._job, self._draw = folder, job, draw
        self._specification, self._description, self._schema = specification, description, description.schema
        self._measurements, self._spending, self._noise, self._note = measurements, spending, noise, note
        self._progress = _progress(note)

    def finish(self) -> None:
        seed = self._noise.stage(SEED_STAGE).bytes(32)
        synthetic = GENERATOR.synthesise(
            self._measurements, self._schema, self._specification.rows, seed, self._progress, _never
        )
        with whole_file(self._folder / result.TABLE) as out:
            for piece in csv_text.chunks(synthetic, self._schema):
                out.write(piece)
        released = evaluate(
            self._draw.training,
            synthetic,
            self._schema,
            self._specification,
            self._description.rows_declared,
            self._spending.evaluate_micro,
            self._noise,
            self._progress,
            _never,
        )
        self._note("drawing the picture and writing the report")
        image = picture.draw(synthetic, self._schema, _noisy_counts(self._measurements, self._schema))
        write_whole(self._folder / result.PICTURE, image)
        write_whole(self._folder / result.REPORT, report(self._subject(), self._promise(), released, image))
        if self._draw.holdout.num_rows >= SMALLEST_HOLDOUT:
            self._note("scoring for the provider alone")
            exact = evaluate_exactly(
                self._draw.training,
                self._draw.holdout,
                synthetic,
                self._schema,
                self._specification.workload,
                PROVIDER_SEED,
            )
            page = provider_report(self._subject(), self._promise(), released, exact, image)
            write_whole(self._folder / Name.PROVIDER_REPORT, page)
            write_whole(self._folder / Name.PROVIDER_SCORES, exact.encode())
        write_whole(self._folder / Name.OUTCOME, self._outcome(released).encode())

    def _outcome(self, released: ReleasedScores) -> Outcome:
        return Outcome(
            mechanism=Mechanism(
                name=NAME.partition("/")[0],
                version=NAME.partition("/")[2],
                parameters=_parameters(self._measurements),
                generate=tuple(_stage(stage) for stage in self._measurements.stages),
                evaluate=tuple(_charge(charge) for charge in released.charges),
            ),
            scores=released.scores,
            noise_commitment=sha256(NOISE_COMMITMENT_TAG + self._draw.noise_key).digest(),
            environment=this_environment(),
        )

    def _subject(self) -> Subject:
        return Subject(
            title=self._description.title,
            provider=self._job.provider,
            order=self._job.order.hex(),
            unit=self._schema.unit,
            rows=self._specification.rows,
            columns=len(self._schema.columns),
            rows_declared=self._description.rows_declared,
        )

    def _promise(self) -> Promise:
        return Promise(
            mechanism=WORDS,
            rho_generate_micro=self._spending.generate_micro,
            rho_evaluate_micro=self._spending.evaluate_micro,
            delta_atto=self._job.delta_atto,
        )


def _draw(job: Job, description: Description, storage_key: bytes) -> Draw:
    with Vault(job.vault, SecretBox(storage_key)) as vault:
        held = vault.describe(job.dataset, job.version)
        if held.commitment != job.commitment or held.schema != description.schema:
            raise Corrupt(
                "expected the records that the dataset's version commits to, the vault holds others; revise it"
            )
        return vault.draw(job.order, job.dataset, job.version, job.rho_micro)


def _noise_context(job: Job, specification: Specification) -> bytes:
    """What the noise is bound to, besides its key: order, the dataset's commitment, the specification."""
    return job.order + job.commitment + sha256(specification.encode()).digest()


def _measure(
    folder: Path, draw: Draw, specification: Specification, spending: Spending, noise: NoiseStream, note: Note
) -> Measurements:
    kept = folder / Name.MEASUREMENTS
    if kept.exists():
        return Measurements.decode(kept.read_bytes())
    measurements = GENERATOR.measure(
        draw.training,
        draw.snapshot.schema,
        specification,
        spending.generate_micro,
        noise,
        _progress(note),
        _never,
    )
    write_whole(kept, measurements.encode())
    return measurements


def _parameters(measurements: Measurements) -> tuple[tuple[str, str], ...]:
    """Which marginals the model was fitted to, in order, and how many of them were chosen privately."""
    marginals = [histogram for histogram in measurements.histograms if histogram.stage.startswith("marginal/")]
    shown = "; ".join(" x ".join(histogram.columns) for histogram in marginals)
    return (("chosen", str(len(measurements.choices))), ("marginals", shown))


def _noisy_counts(measurements: Measurements, schema: Schema) -> tuple[NoisyCounts, ...]:
    """The released one-way counts, as the picture shows them: the first level of every column's cells."""
    found = {histogram.stage: histogram for histogram in measurements.histograms}
    shown = []
    for place, column in enumerate(schema.columns):
        histogram = found.get(f"cells/{place}/0")
        if histogram is None:
            continue
        cells = tuple(range(int(start), int(end)) for start, end in zip(*first_cuts(column), strict=True))
        counts, missing = (histogram.counts[:-1], histogram.counts[-1]) if column.missing else (histogram.counts, None)
        shown.append(NoisyCounts(column.name, cells, counts, missing, histogram.stddev))
    return tuple(shown)


def _stage(stage: Choice | Histogram) -> Stage:
    if isinstance(stage, Choice):
        return Stage(stage.stage, StageKind.EXPONENTIAL, stage.rho_micro, str(stage.sensitivity), str(stage.epsilon))
    return Stage(stage.stage, StageKind.GAUSSIAN, stage.rho_micro, str(stage.sensitivity), str(stage.sigma2))


def _charge(charge: Charge) -> Stage:
    return Stage(charge.name, StageKind.GAUSSIAN, charge.rho_micro, str(charge.sensitivity), str(charge.sigma2))


def _progress(note: Note) -> Callable[[str, float], None]:
    return lambda text, share: note(f"{text} ({share:.0%})")


def _never() -> bool:
    """Work in a child is cancelled by ending the child."""
    return False
