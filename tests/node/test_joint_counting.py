"""The process that counts for a joint order: against a debit that is there first, once for ever, and with noise in it."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from marketplace.errors import Corrupt, Refused
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Histogram
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.identity import OrderId
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.files import write_whole
from node.mpc.noise import add
from node.noise.stream import NoiseStream
from node.outcome import Outcome
from node.vault.vault import Vault
from node.workers.counting import Counter
from node.workers.job import JointJob, Name
from tests.node.examples import specification
from tests.node.workplace import RHO_MICRO, STORAGE_KEY, Workplace, draw_alike

QUESTIONS = AnalysisSpecification(b"f" * 32, (Histogram("age", 10),), 600, b"k" * SEALING_KEY_BYTES, b"n" * 32)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    draw_alike(monkeypatch)
    made = Workplace.prepare(tmp_path)
    write_whole(made.folder / Name.SPECIFICATION, QUESTIONS.encode())
    return made


def joint_job(place: Workplace) -> JointJob:
    return JointJob.decode(JointJob(place.job, 3 * RHO_MICRO, 6, 3, 1).encode())


def test_the_debit_is_there_before_anything_is_counted_and_the_noise_is_in_all_that_is(place: Workplace) -> None:
    counter = Counter.open(place.folder, joint_job(place), STORAGE_KEY)
    assert place.debits() == [RHO_MICRO]
    counted, exact = counter.count(())["0/bins"], counter.task.count(counter.draw.rows, ())["0/bins"]
    assert exact.sum() == counter.draw.snapshot.rows
    (part,) = counter.task.shares(())
    assert part.rho_micro <= 3 * RHO_MICRO
    assert part.sensitivity_squared == 36
    off = np.abs(counted - exact)
    assert np.count_nonzero(off) > 4
    assert off.max() < 20 * float(part.sigma2) ** 0.5


def test_noise_is_bound_to_order_records_and_specification_and_its_key_is_committed_to(place: Workplace) -> None:
    counter = Counter.open(place.folder, joint_job(place), STORAGE_KEY)
    context = place.job.order + place.job.commitment + sha256(QUESTIONS.encode()).digest()
    again = NoiseStream(counter.draw.noise_key, context)
    exact = counter.task.count(counter.draw.rows, ())
    counted = counter.count(())
    assert add(exact, counter.task.shares(()), again)["0/bins"].tolist() == counted["0/bins"].tolist()
    counter.finish(({name: tuple(counts.tolist()) for name, counts in counted.items()},))
    outcome = Outcome.decode((place.folder / Name.OUTCOME).read_bytes())
    assert outcome.noise_commitment == sha256(b"agora/noise-commitment/1" + counter.draw.noise_key).digest()


def test_each_round_has_noise_of_its_own_and_is_counted_once(place: Workplace) -> None:
    asked = replace(QUESTIONS, analyses=(LogisticRegression("test", "positive", ("age",), 2, 8),))
    write_whole(place.folder / Name.SPECIFICATION, asked.encode())
    counter = Counter.open(place.folder, joint_job(place), STORAGE_KEY)
    first = counter.count(())
    opened = ({name: counts.tolist() for name, counts in first.items()},)
    again = counter.count(opened)
    assert again.keys() == first.keys() == {"0/gradient", "0/information"}
    for before in ((), opened):
        with pytest.raises(ValueError, match="each stage to be drawn once"):
            counter.count(before)


def test_what_has_no_noise_of_its_own_does_not_leave(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = Counter.open(place.folder, joint_job(place), STORAGE_KEY)
    monkeypatch.setattr("node.workers.analysing.AnalysisTask.shares", lambda *_: ())
    assert counter.count(()) == {}


def test_of_a_pooled_twin_too_all_that_is_counted_is_paid_for_and_has_noise_in_it(place: Workplace) -> None:
    write_whole(place.folder / Name.SPECIFICATION, specification().encode())
    counter = Counter.open(place.folder, joint_job(place), STORAGE_KEY)
    assert place.debits() == [RHO_MICRO]
    counted, exact = counter.count(()), counter.task.count(counter.draw.rows, ())
    parts = counter.task.shares(())
    assert set(counted) == set(exact) == {part.name for part in parts} == {f"cells/{place}/0" for place in range(3)}
    assert {counts.sum() for counts in exact.values()} == {counter.draw.snapshot.rows}
    assert {part.sensitivity_squared for part in parts} == {36}
    for part in parts:
        assert np.count_nonzero(counted[part.name] - exact[part.name])


def test_a_twin_that_is_not_paid_for_is_refused_before_any_record(place: Workplace) -> None:
    write_whole(place.folder / Name.SPECIFICATION, specification().encode())
    with pytest.raises(Refused, match="a rho of at least"):
        Counter.open(place.folder, replace(joint_job(place), rho_micro=20), STORAGE_KEY)
    assert place.debits() == []


def test_an_exact_question_about_a_column_that_another_looked_at_is_refused(place: Workplace) -> None:
    with Vault(place.vault, SecretBox(STORAGE_KEY)) as vault:
        vault.account.set_allowance(place.job.dataset, 4)

    def counter(order: int, bins: int, cell: int) -> Counter:
        asked = replace(QUESTIONS, analyses=(Histogram("age", bins),), smallest_cell=cell)
        write_whole(place.folder / Name.SPECIFICATION, asked.encode())
        own = replace(place.job, order=OrderId(bytes([order]) * 32), rho_micro=0, delta_atto=0)
        return Counter.open(place.folder, replace(joint_job(place), own=own, rho_micro=0), STORAGE_KEY)

    counter(1, 9, cell=1)
    assert counter(2, 10, cell=10).count(())["0/bins"].sum() == counter(3, 10, cell=10).draw.snapshot.rows
    with pytest.raises(Refused, match="closed cells could follow from both"):
        counter(4, 9, cell=10)


def test_an_order_is_counted_once_for_ever(place: Workplace) -> None:
    Counter.open(place.folder, joint_job(place), STORAGE_KEY)
    with pytest.raises(Refused, match="nothing is drawn again"):
        Counter.open(place.folder, joint_job(place), STORAGE_KEY)
    assert place.debits() == [RHO_MICRO]


def test_records_of_another_schema_are_not_counted_and_cost_nothing(place: Workplace) -> None:
    described = (place.folder / Name.DESCRIPTION).read_bytes()
    write_whole(place.folder / Name.DESCRIPTION, described.replace(b'"rows_per_person":2', b'"rows_per_person":1'))
    with pytest.raises(Corrupt):
        Counter.open(place.folder, joint_job(place), STORAGE_KEY)
    assert place.debits() == []


def test_other_records_than_the_order_names_are_not_counted_and_cost_nothing(place: Workplace) -> None:
    other = replace(joint_job(place), own=replace(place.job, commitment=b"x" * 32))
    with pytest.raises(Corrupt, match="the vault holds others"):
        Counter.open(place.folder, other, STORAGE_KEY)
    assert place.debits() == []
