"""One hospital's vault: takes records in, keeps what they may reveal, and hands them to orders against rho."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import numpy as np

from marketplace.errors import Invalid, Unreachable
from marketplace.protocol.exactness import ExactQuestion
from marketplace.protocol.schema import Schema
from node.vault import roster as rosters
from node.vault import snapshot as snapshots
from node.vault.access import NOTHING, Access, AccessLog
from node.vault.account import Account
from node.vault.bounding import SECRET_BYTES, Tags, bound, identity_of
from node.vault.box import SecretBox
from node.vault.coding import code
from node.vault.cohorts import Cohorts
from node.vault.database import connect
from node.vault.draw import Door, Draw
from node.vault.linking import link
from node.vault.optout import OptOuts
from node.vault.records import open_records
from node.vault.register import Population, Register, Snapshot
from node.vault.roster import Roster

HOLDOUT_PERCENT = 10
LARGEST_HOLDOUT_PERCENT = 50
NO_TABLES: Mapping[str, Path] = MappingProxyType({})


def _unwatched(step: str) -> None:
    """Nobody is told about the steps of a draw."""


class Vault:
    """The vault in one folder, which is made if it is not there, for its owner only.

    One value serves one thread of one process; any number of processes may open the same folder. `box` seals the
    vault's secrets; `randomness` gives bytes of the operating system; `reached` is told each step of a draw; `clock`
    gives the seconds that stand in the access log.
    """

    def __init__(
        self,
        folder: Path,
        box: SecretBox,
        *,
        randomness: Callable[[int], bytes] = os.urandom,
        reached: Callable[[str], None] = _unwatched,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._snapshots, self._rosters = folder / "snapshots", folder / rosters.FOLDER
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._snapshots.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Unreachable(
                f"expected a vault that can be written, got: {error.strerror}; check the folder"
            ) from None
        self._connection: sqlite3.Connection = connect(folder)
        self._register = Register(self._connection, box)
        self.access = AccessLog(self._connection, randomness)
        self._clock = clock
        self._door = Door(self._snapshots, self._connection, box, randomness, reached, self.access, clock)
        self._randomness = randomness
        self._reached = reached
        self.account = Account(self._connection)

    def take_in(
        self,
        path: Path,
        schema: Schema,
        *,
        further: Mapping[str, Path] = NO_TABLES,
        holdout_percent: int = HOLDOUT_PERCENT,
        identifiers: SecretBox | None = None,
    ) -> Snapshot:
        """Takes the records at `path` in as a new dataset's first version.

        `further`: where the records of each further table are, by its name. `holdout_percent`: the share of persons that
        no generator of this dataset ever sees, 0 to 50. `identifiers`: where the provider wants the persons' identifiers
        kept, what seals them, under a key that belongs to this dataset alone; they are forgotten otherwise.
        Raises `Invalid`, for the provider's eyes, where the records are not as `schema` declares them.
        """
        if not 0 <= holdout_percent <= LARGEST_HOLDOUT_PERCENT:
            raise Invalid(f"expected a holdout of 0 to {LARGEST_HOLDOUT_PERCENT} percent, got {holdout_percent}")
        population = Population(self._randomness(SECRET_BYTES), holdout_percent)
        known = _Known(population.secret, schema, identifiers)
        snapshot = self._stored(path, further, schema, population, known, dataset=None, version=1)
        self._register.open(snapshot, population)
        self._keep(snapshot, known)
        return snapshot

    def revise(
        self,
        dataset: bytes,
        path: Path,
        schema: Schema,
        *,
        further: Mapping[str, Path] = NO_TABLES,
        identifiers: SecretBox | None = None,
    ) -> Snapshot:
        """Takes the records at `path`, and those of `further` tables, in as the next version of `dataset`, on the same
        account and with the same persons held out.

        `identifiers`: as in `take_in`; those of the version before, of which no order is answered any more, are deleted.
        Raises `Invalid` as `take_in` does, and where only one of the versions has a person column.
        """
        population = self._register.population(dataset)
        versions = self._register.versions(dataset)
        if (schema.person is None) != (versions[0].schema.person is None):
            raise Invalid(
                "expected a person column in all versions or in none, since they share one account; declare alike"
            )
        known = _Known(population.secret, schema, identifiers)
        snapshot = self._stored(path, further, schema, population, known, dataset=dataset, version=len(versions) + 1)
        self._register.add(snapshot)
        self._keep(snapshot, known)
        return snapshot

    def describe(self, dataset: bytes, version: int) -> Snapshot:
        """What the vault holds of one version, for its provider only. Raises `Invalid` if it holds none."""
        return self._register.snapshot(dataset, version)

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Every version of every dataset in the vault, for its provider only."""
        return self._register.snapshots()

    def draw(self, order: bytes, dataset: bytes, version: int, rho_micro: int, *, again: bool = False) -> Draw:
        """The rows of one version for `order` (32 bytes) against the whole `rho_micro`; the same order resumes.

        `again`: only where the order has drawn before, to replay that.

        Raises `Invalid` for what the vault does not hold, `Corrupt` where it is not what was committed to, `Refused`
        where the account says no.
        """
        return self._door.draw(order, self._register.snapshot(dataset, version), rho_micro, again=again)

    def draw_exact(self, order: bytes, dataset: bytes, version: int, *, again: bool = False) -> Draw:
        """As `draw`, for an order without a privacy promise: against one of the dataset's allowance, and no rho."""
        return self._door.draw_exact(order, self._register.snapshot(dataset, version), again=again)

    def roster(self, order: bytes, dataset: bytes, version: int, identifiers: SecretBox) -> Roster:
        """Who is in one version, for `order`: before its draw, so that nothing is debited where that cannot be told.

        `identifiers`: what opens them. Raises `Invalid` for what the vault does not hold, `Corrupt` where none are kept, or
        others than of these persons, or where they do not open.
        """
        snapshot, secret = self._register.snapshot(dataset, version), self._register.population(dataset).secret
        self._note(Access.IDENTIFIERS_OPENED, dataset, version, order)
        return rosters.read(self._rosters, snapshot, secret, identifiers)

    def forget_identifiers(self, dataset: bytes) -> None:
        """Deletes the identifiers that are kept of `dataset`, if any; of its records, nothing."""
        self._register.population(dataset)
        self._note(Access.IDENTIFIERS_FORGOTTEN, dataset)
        rosters.delete(self._rosters, dataset)

    def enter_cohort(
        self, order: bytes, dataset: bytes, persons: Tags, smallest_cell: int, question: ExactQuestion | None
    ) -> None:
        """Notes over which persons an exact `order` answers what. Raises `Refused` as `Cohorts.enter` does."""
        Cohorts(self._connection).enter(order, dataset, persons, smallest_cell, question)

    def note_opt_outs(self, dataset: bytes, persons: Iterable[str], *, out: bool, at_s: int) -> int:
        """Takes these persons, as the person column names them, out of every later order of `dataset`, or in again.

        Returns how many were written down. Whether a name is in the records is not told: who opts out before records
        of theirs arrive is out as well. Raises `Invalid` for a dataset without a person column or an empty name.
        """
        if self._register.versions(dataset)[:1] and self._register.versions(dataset)[0].schema.person is None:
            raise Invalid("expected a dataset with a person column to opt out of; this one cannot tell persons apart")
        secret, names = self._register.population(dataset).secret, list(persons)
        if not names or not all(name.strip() for name in names):
            raise Invalid("expected the names of persons as the person column has them, one each; got an empty one")
        identities = [identity_of(name, secret) for name in names]
        OptOuts(self._connection).note(dataset, identities, out=out, at_s=at_s)
        return len(identities)

    def close(self) -> None:
        """Closes the database."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _note(self, access: Access, dataset: bytes, version: int = 0, order: bytes = NOTHING) -> None:
        self.access.note(access, int(self._clock()), dataset=dataset, version=version, order=order)

    def _stored(
        self,
        path: Path,
        further: Mapping[str, Path],
        schema: Schema,
        population: Population,
        known: "_Known",
        *,
        dataset: bytes | None,
        version: int,
    ) -> Snapshot:
        content, rows_read, rows, holdout_rows = _taken(path, further, schema, population, known)
        if content.held_out.all():
            raise Invalid(
                "expected persons outside the holdout, got too few records to share; take more, or hold none out"
            )
        salt = self._randomness(snapshots.SALT_BYTES)
        commitment = snapshots.commitment_of(content, schema, salt)
        self._note(Access.TAKEN_IN, dataset or commitment, version)
        snapshots.write(self._snapshots, commitment, content, salt)
        self._reached("stored")
        return Snapshot(
            dataset=dataset or commitment,
            version=version,
            commitment=commitment,
            schema=schema,
            holdout_percent=population.holdout_percent,
            rows_read=rows_read,
            rows=rows,
            persons=len(np.unique(content.person)),
            holdout_rows=holdout_rows,
        )

    def _keep(self, snapshot: Snapshot, known: "_Known") -> None:
        """Keeps the identifiers of a dataset's newest version in the place of those before, or none."""
        if known.box is None:
            rosters.delete(self._rosters, snapshot.dataset)
            return
        self._note(Access.IDENTIFIERS_KEPT, snapshot.dataset, snapshot.version)
        rosters.write(self._rosters, snapshot, known, known.box)


class _Known(dict[bytes, str]):
    """Remembers, while records are taken in, whose name stands behind what stands for a person. `box`: seals what is kept."""

    def __init__(self, secret: bytes, schema: Schema, box: SecretBox | None) -> None:
        super().__init__()
        if box is not None and schema.person is None:
            raise Invalid("expected a person column whose identifiers to keep, the schema has none; declare it")
        self._secret, self.box = secret, box

    def identify(self, text: str) -> bytes:
        """What stands for the person of this name."""
        tag = identity_of(text, self._secret)
        self[tag] = text
        return tag


def _taken(
    path: Path, further: Mapping[str, Path], schema: Schema, population: Population, known: _Known
) -> tuple[snapshots.Content, int, int, int]:
    """The content of a version with its numbers of rows of the main table: read, within the bound, in the holdout."""
    secret, percent = population.secret, population.holdout_percent
    names = [table.name for table in schema.tables]
    if set(further) != set(names):
        raise Invalid(
            f"expected records of the further tables {', '.join(names) or 'of which there are none'}, got those of "
            f"{', '.join(further) or 'none'}; give one file for each"
        )
    main = code(open_records(path), schema, known.identify)
    if not schema.is_linked:
        used = bound(main, secret, rows_per_person=schema.rows_per_person, holdout_percent=percent)
        table = snapshots.coded_table(main.rows[used.places], schema)
        content = snapshots.Content(table, used.person, used.identity, used.held_out)
        return content, len(main.rows), len(used.places), int(used.held_out.sum())
    others = [code(open_records(further[each.name]), each.schema, known.identify) for each in schema.tables]
    linked = link((main, *others), schema, secret, holdout_percent=percent)
    persons = linked.persons
    content = snapshots.Content(linked.table, persons.person, persons.identity, persons.held_out)
    return content, len(main.rows), linked.rows, linked.holdout_rows
