"""A linkage count at one party: of the persons of the rows that are asked about, once each, and of identifiers that are right."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from marketplace.errors import Corrupt
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_linkage import KnownTo, Linkage
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.files import write_whole
from node.mpc.persons import bucket_of
from node.vault.vault import Vault
from node.workers.counting import Counter
from node.workers.job import JointJob, Name
from node.workers.linkage import LinkageTask
from tests.node.examples import SCHEMA
from tests.node.workplace import RHO_MICRO, STORAGE_KEY, Workplace, draw_alike
from tests.vault.examples import ORDER, Box
from tests.vault.linked import CLINIC, clinic_records

BUCKETS, AGREED, ROSTER_KEY = 2**16, bytes(range(32)), bytes(range(50, 82))
LINKING = AnalysisSpecification(
    b"f" * 32, (Linkage(3, BUCKETS, KnownTo.TWO),), 600, b"k" * SEALING_KEY_BYTES, b"n" * 32
)


def buckets_of(names: set[str]) -> set[int]:
    return {bucket_of(name, AGREED, BUCKETS) for name in names}


def found(counts: np.ndarray) -> set[int]:
    return set(np.flatnonzero(counts[:BUCKETS]).tolist())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    draw_alike(monkeypatch)
    made = Workplace.prepare(tmp_path, roster_key=ROSTER_KEY)
    write_whole(made.folder / Name.SPECIFICATION, LINKING.encode())
    return made


def job(place: Workplace) -> JointJob:
    return JointJob(place.job, 3 * RHO_MICRO, 6, 3, 1)


def names_in(path: Path, schema: Schema, **wanted: str) -> set[str]:
    header, *lines = (line.split(",") for line in path.read_text().splitlines())
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    assert schema.person is not None
    return {row[schema.person] for row in rows if all(row[name] == value for name, value in wanted.items())}


def test_every_person_is_in_its_bucket_once_and_noise_is_where_numbers_are_opened(place: Workplace) -> None:
    counter = Counter.open(place.folder, job(place), STORAGE_KEY, ROSTER_KEY, AGREED)
    assert place.debits() == [RHO_MICRO]
    (counts,) = counter.count(()).values()
    assert found(counts) == buckets_of(names_in(place.vault.parent / "records.csv", SCHEMA))
    assert set(counts[:BUCKETS].tolist()) == {0, 1}
    assert counts[BUCKETS:].any()
    assert repr(AGREED) not in repr(counter)
    assert "identifiers" not in repr(counter.task)


@pytest.mark.parametrize("harm", ["key", "cut", "gone"])
def test_identifiers_that_cannot_be_told_are_corrupt_and_nothing_is_debited(place: Workplace, harm: str) -> None:
    (sealed,) = (place.vault / "identifiers").iterdir()
    if harm == "cut":
        sealed.write_bytes(sealed.read_bytes()[:-1])
    if harm == "gone":
        sealed.unlink()
    with pytest.raises(Corrupt, match="expected the identifiers"):
        Counter.open(place.folder, job(place), STORAGE_KEY, AGREED if harm == "key" else ROSTER_KEY, AGREED)
    assert place.debits() == []


def test_only_persons_of_visits_that_meet_the_conditions_are_asked_about(tmp_path: Path) -> None:
    path, box = clinic_records(tmp_path / "visits.csv"), SecretBox(ROSTER_KEY)
    asked = replace(LINKING, only=(Condition("edema", values=("yes",)), Condition("sex", values=("male",))))
    schema = replace(CLINIC, rows_per_person=6)
    with Vault(tmp_path / "vault", Box()) as vault:
        taken = vault.take_in(path, schema, identifiers=box)
        vault.account.raise_total(taken.dataset, 100)
        vault.note_opt_outs(taken.dataset, [min(names_in(path, schema))], out=True, at_s=1)
        roster, draw = vault.roster(ORDER, taken.dataset, 1, box), vault.draw(ORDER, taken.dataset, 1, 50)
    own = Workplace.prepare(tmp_path / "other").job
    task = LinkageTask(JointJob(own, 3 * RHO_MICRO, 6, 3, 1), asked, schema, roster.of(draw), AGREED)
    (counts,) = task.count(draw.rows, ()).values()
    everybody = names_in(path, schema)
    wanted = names_in(path, schema, edema="yes", sex="male") - {min(everybody)}
    assert found(counts) == buckets_of(wanted)
    assert 0 < len(wanted) < len(everybody) / 2
