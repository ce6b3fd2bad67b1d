"""`agora-node dataset`: look at records, declare a schema, list and revise a dataset."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.identity import DatasetId
from marketplace.protocol.schema import Schema
from marketplace.terminal import ask_passphrase, guarded, parse_id, say, show_json
from node.commands.given import read_given
from node.files import write_whole
from node.home import Node, home
from node.provider import Listed, Words
from node.vault.inference import draft_file
from node.vault.linked_draft import draft_linked

app = typer.Typer(no_args_is_help=True, help="Look at records, declare a schema, list and revise a dataset.")
LARGEST_PERSONS_BYTES = 2**26
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Records = Annotated[Path, typer.Argument(help="A CSV or Parquet file.")]
SchemaFile = Annotated[Path, typer.Option("--schema", help="The declared schema, a JSON file.")]
Title = Annotated[str, typer.Option(help="What the dataset is called in public.")]
Summary = Annotated[str, typer.Option(help="What it is about, in public.")]
Provenance = Annotated[str, typer.Option(help="Where the records come from, in public.")]
Tables = Annotated[
    list[str] | None,
    typer.Option(
        help="A further table as NAME=FILE, a CSV or Parquet file with the same person column; may be repeated."
    ),
]
Keep = Annotated[
    bool,
    typer.Option(
        "--keep-identifiers",
        help="Keep what stands in the person column, sealed under a key of its own, so that persons can be matched with "
        "those of other providers. Without it they are forgotten.",
    ),
]
Rows = Annotated[int, typer.Option("--rows", help="The number of rows that you declare in public; it is rounded.")]


@app.command()
@guarded
def draft(
    records: Records,
    out: Annotated[Path, typer.Option(help="Where to write the draft of a schema.")],
    person: Annotated[str | None, typer.Option(help="The column that tells persons apart.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="A column to leave out; may be repeated.")] = None,
    table: Tables = None,
    timeline: Annotated[
        list[str] | None,
        typer.Option(
            help="The column that puts a person's rows in order, of a further table as NAME=COLUMN; may be repeated."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draft a schema from RECORDS, for your eyes only: read it, correct it by what you know, then declare it."""
    schema, words = _drafted(records, person, exclude or (), read_places(table or ()), timeline or ())
    write_whole(out, (json.dumps(schema.document(), indent=2, ensure_ascii=False) + "\n").encode())
    if as_json:
        show_json({"schema": str(out), "columns": words})
        return
    for name, said in words.items():
        print(f"{name}: {said}")
    say(
        f"Draft in {out}. Its bounds and categories come from the records: replace them by what you would declare unseen."
    )


@app.command()
@guarded
def add(
    records: Records,
    schema: SchemaFile,
    title: Title,
    rows: Rows,
    total_rho: Annotated[int, typer.Option("--total-rho", help="What the dataset may reveal in all, in micro-rho.")],
    summary: Summary = "",
    provenance: Provenance = "",
    table: Tables = None,
    keep_identifiers: Keep = False,
    as_json: AsJson = False,
) -> None:
    """Take RECORDS into the vault and register them as a dataset."""
    further, declared = read_places(table or ()), read_schema(schema)
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    words = Words(title, summary, provenance)
    listed = node.provider().list_dataset(
        records,
        declared,
        words,
        total_rho,
        rows_declared=rows,
        further=further,
        keep_identifiers=keep_identifiers,
    )
    _show(listed, keep_identifiers, as_json)


@app.command()
@guarded
def revise(
    dataset: Annotated[str, typer.Argument(help="The dataset's id.")],
    records: Records,
    schema: SchemaFile,
    title: Title,
    rows: Rows,
    summary: Summary = "",
    provenance: Provenance = "",
    table: Tables = None,
    keep_identifiers: Keep = False,
    as_json: AsJson = False,
) -> None:
    """Put new RECORDS under the same budget as the next version of DATASET."""
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    listed = node.provider().revise_dataset(
        DatasetId(parse_id(dataset, "dataset")),
        records,
        read_schema(schema),
        Words(title, summary, provenance),
        rows_declared=rows,
        further=read_places(table or ()),
        keep_identifiers=keep_identifiers,
    )
    _show(listed, keep_identifiers, as_json)


@app.command(name="opt-out")
@guarded
def opt_out(
    dataset: Annotated[str, typer.Argument(help="The dataset's id.")],
    persons: Annotated[Path, typer.Argument(help="A file that names one person a line, as the person column does.")],
    back: Annotated[bool, typer.Option("--back", help="Take them in again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Leave the PERSONS out of every order of DATASET that is drawn from now on. Refunds nothing; can be taken back."""
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    try:
        names = [name for name in read_given(persons, LARGEST_PERSONS_BYTES).decode().splitlines() if name]
    except UnicodeDecodeError:
        raise Invalid("expected one person a line in UTF-8, got another encoding; convert the file") from None
    noted = node.provider().note_opt_outs(
        DatasetId(parse_id(dataset, "dataset")), names, out=not back, now_s=int(time.time())
    )
    if as_json:
        show_json({"dataset": dataset, "noted": noted, "out": not back})
    else:
        print(f"{noted} {'taken in again' if back else 'left out'} from the next order on")


@app.command(name="forget-identifiers")
@guarded
def forget_identifiers(
    dataset: Annotated[str, typer.Argument(help="The dataset's id.")], as_json: AsJson = False
) -> None:
    """Destroy the key to the identifiers kept of DATASET, and delete them. Its persons are matched with others' no more."""
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    node.provider().forget_identifiers(DatasetId(parse_id(dataset, "dataset")))
    if as_json:
        show_json({"dataset": dataset, "identifiers": "forgotten"})
    else:
        print("Identifiers forgotten; copies of the node's folder that you made have the key still")


def _drafted(
    records: Path, person: str | None, exclude: Sequence[str], further: Mapping[str, Path], timelines: Sequence[str]
) -> tuple[Schema, dict[str, str]]:
    """A draft with words about each column, those of a further table after its name."""
    if not further and not timelines:
        found = draft_file(records, person=person, exclude=exclude)
        return found.schema(), {verdict.name: verdict.words for verdict in found.verdicts}
    parts = [text.partition("=") for text in timelines]
    if person is None:
        raise Invalid("expected --person beside --table or --timeline; name the column that tells persons apart")
    times = {name if equals else "": column if equals else name for name, equals, column in parts}
    linked = draft_linked(records, further, times, person=person, exclude=exclude)
    words = {
        f"{name}{'/' if name else ''}{verdict.name}": verdict.words
        for name, each in linked.drafts.items()
        for verdict in each.verdicts
    }
    return linked.schema(), words


def read_places(given: Sequence[str]) -> dict[str, Path]:
    """Where the records of further tables are, from NAME=FILE. Raises `Invalid` for another text or a name given twice."""
    found: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not (name and equals and path) or name in found:
            raise Invalid("expected each further table once, as NAME=FILE; see `agora-node dataset add --help`")
        found[name] = Path(path)
    return found


def read_schema(path: Path) -> Schema:
    """The schema in a JSON file. Raises `Invalid` if it cannot be read or is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise Invalid(
            f"expected a schema in JSON in {path.name}, could not read it; `agora-node dataset draft` makes one"
        ) from None
    if not isinstance(document, dict):
        raise Invalid(f"expected a schema in JSON in {path.name}, got another value; see `agora-node dataset draft`")
    try:
        return Schema.of_document(document)
    except Corrupt as error:
        raise Invalid(f"{path.name}: {error}; see `agora-node dataset draft`") from None


def _show(listed: Listed, identifiers_kept: bool, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "dataset": listed.dataset.hex(),
                "version": listed.snapshot.version,
                "commitment": listed.snapshot.commitment.hex(),
                "rows_declared": listed.description.rows_declared,
                "identifiers_kept": identifiers_kept,
                "hash": listed.receipt.transaction.hex(),
                "gas": listed.receipt.gas,
            }
        )
        return
    print(f"Dataset {listed.dataset.hex()}, version {listed.snapshot.version}")
    say(
        f"Provider only: {listed.snapshot.rows_read:,} rows read, {listed.snapshot.rows:,} within the bound per person, "
        f"{listed.snapshot.persons:,} persons, {listed.snapshot.holdout_rows:,} rows held out."
    )
    if identifiers_kept:
        say("Identifiers are kept, sealed; `agora-node dataset forget-identifiers` destroys their key.")
