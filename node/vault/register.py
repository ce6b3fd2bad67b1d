"""Which datasets and versions the vault holds: the register of snapshots, to which lines are only added."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol import canonical
from marketplace.protocol.schema import Schema
from node.vault.box import SecretBox
from node.vault.database import query, transaction

_NOUN, _VERSION = "schema", 1
_SECRET_LABEL = b"agora/dataset-secret/1"


@dataclass(frozen=True)
class Snapshot:
    """One version of a dataset, for its provider only: every count here is exact.

    `dataset`: the commitment of the first version, the dataset's name in this vault for ever, 32 bytes. `version`:
    from 1. `commitment`: 32 bytes. `rows_read`: records in the file; `rows`: those within the bound per person,
    `holdout_rows` of them in the holdout; `persons`: of how many persons.
    """

    dataset: bytes
    version: int
    commitment: bytes
    schema: Schema
    holdout_percent: int
    rows_read: int
    rows: int
    persons: int
    holdout_rows: int


@dataclass(frozen=True)
class Population:
    """What all versions of a dataset share: the secret of 32 bytes behind its keyed hashes, and its holdout's share."""

    secret: bytes
    holdout_percent: int

    def __repr__(self) -> str:
        return f"Population(holdout_percent={self.holdout_percent})"


class Register:
    """The lines of one vault."""

    def __init__(self, connection: sqlite3.Connection, box: SecretBox) -> None:
        self._connection = connection
        self._box = box

    def open(self, snapshot: Snapshot, population: Population) -> None:
        """Writes down a new dataset with its first version."""
        sealed = self._box.seal(_SECRET_LABEL + snapshot.dataset, population.secret)
        with transaction(self._connection):
            self._connection.execute(
                "INSERT INTO dataset (dataset, holdout_percent, sealed_secret) VALUES (?, ?, ?)",
                (snapshot.dataset, population.holdout_percent, sealed),
            )
            self._insert(snapshot)

    def add(self, snapshot: Snapshot) -> None:
        """Writes down a further version. Raises `Invalid` if another one took its number meanwhile."""
        with transaction(self._connection):
            latest = len(self.versions(snapshot.dataset))
            if snapshot.version != latest + 1:
                raise Invalid(f"expected version {latest + 1} next, got {snapshot.version}; revise again")
            self._insert(snapshot)

    def population(self, dataset: bytes) -> Population:
        """What the versions of `dataset` share. Raises `Invalid` if the vault does not hold it."""
        found = query(
            self._connection, "SELECT sealed_secret, holdout_percent FROM dataset WHERE dataset = ?", (dataset,)
        )
        if not found:
            raise _unknown(dataset)
        return Population(self._box.open(_SECRET_LABEL + dataset, found[0][0]), found[0][1])

    def snapshot(self, dataset: bytes, version: int) -> Snapshot:
        """The line of one version. Raises `Invalid` if the vault does not hold it."""
        versions = self.versions(dataset)
        if not versions:
            raise _unknown(dataset)
        if not 1 <= version <= len(versions):
            raise Invalid(f"expected a version from 1 to {len(versions)} of this dataset, got {version}")
        return versions[version - 1]

    def versions(self, dataset: bytes) -> tuple[Snapshot, ...]:
        """All versions of `dataset` in order; none if the vault does not hold it."""
        return tuple(snapshot for snapshot in self.snapshots() if snapshot.dataset == dataset)

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Every version of every dataset."""
        found = query(
            self._connection,
            "SELECT dataset, version, commitment, declared, holdout_percent, rows_read, rows, persons, holdout_rows "
            "FROM version JOIN dataset USING (dataset) ORDER BY version.rowid",
        )
        return tuple(_snapshot_of(line) for line in found)

    def _insert(self, snapshot: Snapshot) -> None:
        self._connection.execute(
            "INSERT INTO version (dataset, version, commitment, declared, rows_read, rows, persons, holdout_rows) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                snapshot.dataset,
                snapshot.version,
                snapshot.commitment,
                _declared(snapshot.schema),
                snapshot.rows_read,
                snapshot.rows,
                snapshot.persons,
                snapshot.holdout_rows,
            ),
        )


def _snapshot_of(line: tuple[Any, ...]) -> Snapshot:
    dataset, version, commitment, declared, *counts = line
    return Snapshot(dataset, version, commitment, _schema_of(declared), *counts)


def _declared(schema: Schema) -> bytes:
    return canonical.encode({"format": canonical.format_name(_NOUN, _VERSION), "schema": schema.document()})


def _schema_of(declared: bytes) -> Schema:
    return Schema.of_document(canonical.decode(declared, _NOUN, _VERSION)["schema"])


def _unknown(dataset: bytes) -> Invalid:
    return Invalid(f"expected a dataset of this vault, got {dataset.hex()[:16]}...; take its records in first")
