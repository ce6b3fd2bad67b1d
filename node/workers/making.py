"""Making a synthetic twin: the one draw of an order, from records to the files of its result."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from hashlib import sha256
from operator import and_
from pathlib import Path

from marketplace.errors import Corrupt
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol import result
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Schema
from marketplace.scores.constraints import MISSING, meet
from node.environment import this_environment
from node.evaluation import picture
from node.evaluation.attack import SMALLEST_HOLDOUT
from node.evaluation.curve_picture import draw_curves
from node.evaluation.exact import evaluate_exactly
from node.evaluation.links import encode_links, evaluate_links
from node.evaluation.provider_report import provider_report
from node.evaluation.released import Pair, ReleasedScores, evaluate
from node.evaluation.report import Exhibit, report
from node.files import disk, whole_file, write_whole
from node.nesting import flat_tables, main_table
from node.noise.stream import NoiseStream
from node.outcome import NOISE_COMMITMENT_TAG, Outcome
from node.synthesis.generator import CodedTable, Generator, Measured
from node.synthesis.generators import generator_of, serving
from node.vault import csv_text
from node.vault.draw import Draw
from node.vault.vault import Vault
from node.workers.assignment import Assignment
from node.workers.job import Job, Name
from node.workers.mechanism import mechanism_of, noisy_counts

SEED_STAGE = "synthesise/seed"
PROVIDER_SEED = 20_250_101
Note = Callable[[str], None]
Look = Callable[[Assignment, Draw, CodedTable], None]
"""Sees the records that a result is compared with, and its table; both nested where rows hang together under persons."""


def make(
    folder: Path,
    storage_key: bytes,
    note: Note,
    generators: Callable[[str], Generator] = generator_of,
    *,
    again: bool = False,
    look: Look | None = None,
) -> None:
    """Does the work that the job in `folder` describes, and leaves the result's files and the outcome there.

    The outcome is written last. Done again after a crash it makes the same draw: the vault hands out the same noise key
    and debits nothing twice, and measurements that were kept are not made again. `note` is told every step, each as soon
    as it is done. `again`: replays a draw that was made, and leaves out what is for the provider alone but `look`.
    Raises what the vault, the generator and the disk raise; before the vault's entry no record leaves it.
    """
    assignment = Assignment.read(folder)
    schema, specification = assignment.schema, assignment.specification
    generator = generators(serving(specification.generator, schema))
    generator.check(schema, specification, assignment.spending.generate_micro)
    draw = _draw(assignment.job, assignment, storage_key, note, again)
    noise = NoiseStream(draw.noise_key, assignment.noise_context)
    measurements = _measured(folder, assignment, draw, noise, note, generator)
    seed = noise.stage(SEED_STAGE).bytes(32)
    synthetic = generator.synthesise(
        measurements, schema, specification.rows, seed, _shared(note), _never, specification.only
    )
    draw = _narrowed(draw, assignment)
    flat, main = _flat(draw, schema), main_table(synthetic, schema)
    released = _released(assignment, flat, main, _further(draw.training, synthetic, schema), noise, note)
    declared, mechanism = assignment.description.rows_declared, mechanism_of(measurements, released)
    image = picture.draw(main, schema, noisy_counts(measurements, schema))
    exhibit = Exhibit(released, mechanism, image, draw_curves(main, schema, specification, released.curves, declared))
    if look is not None:
        look(assignment, draw, synthetic)
    _write_tables(folder, schema, synthetic, note)
    _keep(folder, result.PICTURE, image, note)
    _keep(folder, result.REPORT, report(assignment.subject, assignment.promise, exhibit), note)
    if not again and flat.holdout.num_rows >= SMALLEST_HOLDOUT:
        _write_for_provider(folder, assignment, flat, main, exhibit, note)
    if not again and schema.is_linked:
        links = evaluate_links(draw.training, synthetic, schema, PROVIDER_SEED)
        _keep(folder, Name.PROVIDER_LINKS, encode_links(links, PROVIDER_SEED), note)
    outcome = Outcome(
        mechanism=mechanism,
        scores=released.scores,
        curves=released.curves,
        register=draw.register,
        noise_commitment=sha256(NOISE_COMMITMENT_TAG + draw.noise_key).digest(),
        environment=this_environment(),
    )
    _keep(folder, Name.OUTCOME, outcome.encode(), note)


def _draw(job: Job, assignment: Assignment, storage_key: bytes, note: Note, again: bool) -> Draw:
    with Vault(job.vault, SecretBox(storage_key), reached=note) as vault:
        held = vault.describe(job.dataset, job.version)
        if held.commitment != job.commitment or held.schema != assignment.schema:
            raise Corrupt(
                "expected the records that the dataset's version commits to, the vault holds others; revise it"
            )
        if job.is_exact:
            return vault.draw_exact(job.order, job.dataset, job.version, again=again)
        return vault.draw(job.order, job.dataset, job.version, job.rho_micro, again=again)


def _measured(
    folder: Path, assignment: Assignment, draw: Draw, noise: NoiseStream, note: Note, generator: Generator
) -> Measured:
    """The measurements of this draw: those that were kept, or new ones, which are kept first."""
    kept = folder / Name.MEASUREMENTS
    if kept.exists():
        with disk():
            return generator.decode(kept.read_bytes())
    measurements = generator.measure(
        draw.training,
        assignment.schema,
        assignment.specification,
        assignment.spending.generate_micro,
        noise,
        _shared(note),
        _never,
    )
    _keep(folder, Name.MEASUREMENTS, measurements.encode(), note)
    return measurements


def _narrowed(draw: Draw, assignment: Assignment) -> Draw:
    """The draw with the records that meet the order's conditions, which its result is to be compared with.

    Whether a record stays is told from that record alone, so a person moves no score by more than before.
    """
    only = assignment.specification.only
    if not only:
        return draw
    training, holdout = (_meeting(only, assignment.schema, table) for table in (draw.training, draw.holdout))
    return replace(draw, training=training, holdout=holdout)


def _meeting(only: Sequence[Condition], schema: Schema, table: CodedTable) -> CodedTable:
    columns = {condition.column: table.column(condition.column).fill_null(MISSING).to_numpy() for condition in only}
    met = [meet(condition, schema, columns[condition.column]) for condition in only]
    return table.filter(reduce(and_, met))


def _released(
    assignment: Assignment,
    draw: Draw,
    synthetic: CodedTable,
    further: Sequence[Pair],
    noise: NoiseStream,
    note: Note,
) -> ReleasedScores:
    return evaluate(
        draw.training,
        synthetic,
        assignment.schema,
        assignment.specification,
        assignment.description.rows_declared,
        assignment.spending.evaluate_micro,
        noise,
        _shared(note),
        _never,
        further,
    )


def _further(training: CodedTable, synthetic: CodedTable, schema: Schema) -> list[Pair]:
    """The further tables without person numbers, in the schema's order; none of a schema without persons."""
    if not schema.is_linked:
        return []
    names = [list(table.schema.names) for table in schema.tables]
    flat = (flat_tables(table, schema)[1:] for table in (training, synthetic))
    return [Pair(real.select(columns), made.select(columns)) for columns, real, made in zip(names, *flat, strict=True)]


def _flat(draw: Draw, schema: Schema) -> Draw:
    """The draw with the rows of the main table alone, which scores are about. A person still has at most as many of them."""
    return replace(draw, training=main_table(draw.training, schema), holdout=main_table(draw.holdout, schema))


def _write_tables(folder: Path, schema: Schema, synthetic: CodedTable, note: Note) -> None:
    tables = flat_tables(synthetic, schema) if schema.is_linked else (synthetic,)
    for sheet, table in zip(result.sheets(schema), tables, strict=True):
        with whole_file(folder / sheet.file) as out:
            for piece in csv_text.chunks(table, sheet.schema):
                out.write(piece)
        note(f"kept {sheet.file}")


def _write_for_provider(
    folder: Path,
    assignment: Assignment,
    draw: Draw,
    synthetic: CodedTable,
    exhibit: Exhibit,
    note: Note,
) -> None:
    """Exact scores and their page, which stay in the node."""
    exact = evaluate_exactly(
        draw.training,
        draw.holdout,
        synthetic,
        assignment.schema,
        assignment.specification.workload,
        PROVIDER_SEED,
    )
    page = provider_report(assignment.subject, assignment.promise, exhibit, exact)
    _keep(folder, Name.PROVIDER_REPORT, page, note)
    _keep(folder, Name.PROVIDER_SCORES, exact.encode(), note)


def _keep(folder: Path, name: str, data: bytes, note: Note) -> None:
    write_whole(folder / name, data)
    note(f"kept {name}")


def _shared(note: Note) -> Callable[[str, float], None]:
    """`note` for what tells its progress as a share."""
    return lambda text, share: note(f"{text} ({share:.0%})")


def _never() -> bool:
    """Work in a child is cancelled by ending the child."""
    return False
