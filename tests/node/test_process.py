"""Work in a real process of its own, on real records: interrupted, crashed, shut in, and shut off."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from marketplace.errors import Unreachable
from marketplace.protocol import result
from node.outcome import Outcome
from node.work import Made
from node.workers.job import Name
from node.workers.process import MOST_CRASHES, ProcessWorkers
from tests.node.dying import EVERYWHERE, Points
from tests.node.examples import HIDDEN, ORDER
from tests.node.workplace import LONGEST_S, RHO_MICRO, ROOT, STORAGE_KEY, Workplace

LINUX = sys.platform == "linux"
KEPT = (Name.MEASUREMENTS, *result.NAMES, Name.OUTCOME)


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace.prepare(tmp_path)


@pytest.fixture
def workers(workplace: Workplace) -> Iterator[ProcessWorkers]:
    workers = workplace.workers()
    yield workers
    workers.stop()


def wait_until(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + LONGEST_S
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.01)


def made(workplace: Workplace, workers: ProcessWorkers) -> Made:
    return workers.made(ORDER, workplace.folder)


def held(workplace: Workplace, point: str) -> ProcessWorkers:
    """Workers of which one has come to a point, where it stays."""
    workers = workplace.workers("held")
    workplace.deadly(point)
    workplace.start(workers)
    wait_until(lambda: point in Points(workplace.points).passed())
    return workers


def is_running(pid: int) -> bool:
    """Whether the process is there; one that has ended and that nobody asked about counts as gone where that shows."""
    try:
        os.kill(pid, 0)
        return not LINUX or Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def made_again(workplace: Workplace) -> dict[str, object]:
    """What the order's files are if the same draw is made again from the beginning."""
    for path in workplace.folder.iterdir():
        if path.name not in (Name.SPECIFICATION, Name.DESCRIPTION):
            path.unlink()
    again = workplace.workers()
    assert workplace.finish(again) is Made.DONE
    again.stop()
    return files(workplace)


def files(workplace: Workplace) -> dict[str, object]:
    """The result's files, and the outcome but for the environment, which is that of the moment."""
    outcome = Outcome.decode((workplace.folder / Name.OUTCOME).read_bytes())
    kept: dict[str, object] = {name: (workplace.folder / name).read_bytes() for name in KEPT if name != Name.OUTCOME}
    return {**kept, Name.OUTCOME: (outcome.mechanism, outcome.scores, outcome.noise_commitment)}


def test_work_is_done_and_leaves_a_result_for_its_owner_only(workplace: Workplace, workers: ProcessWorkers) -> None:
    before = os.umask(0)
    assert workplace.finish(workers) is Made.DONE
    os.umask(before)
    assert workers._children[ORDER].wait(LONGEST_S) == 0
    assert (workplace.folder / Name.LOG).read_text() == ""
    assert set(KEPT) < {path.name for path in workplace.folder.iterdir()}
    for path in [workplace.folder, *workplace.folder.iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert workplace.debits() == [RHO_MICRO]
    outcome = Outcome.decode((workplace.folder / Name.OUTCOME).read_bytes())
    assert outcome.mechanism.rho_generate_micro + outcome.mechanism.rho_evaluate_micro <= RHO_MICRO
    assert HIDDEN.encode() not in b"".join(path.read_bytes() for path in workplace.folder.iterdir())


def test_a_draw_that_is_interrupted_at_every_step_is_the_same_draw(
    workplace: Workplace, workers: ProcessWorkers
) -> None:
    workplace.deadly("debited", f"kept {Name.MEASUREMENTS}")
    patient = ProcessWorkers(1, workers._command)
    while made(workplace, patient) is not Made.DONE:
        patient.stop()
        workplace.start(patient)
        wait_until(lambda: made(workplace, patient) is not Made.RUNNING)
    assert len(Points(workplace.points).passed()) > 3
    assert workplace.debits() == [RHO_MICRO]
    interrupted = files(workplace)
    assert interrupted == made_again(workplace)
    assert workplace.debits() == [RHO_MICRO]


@pytest.mark.slow
def test_a_draw_that_is_interrupted_at_all_steps_there_are_is_the_same_draw(workplace: Workplace) -> None:
    workplace.deadly(EVERYWHERE)
    workers = workplace.workers()
    while made(workplace, workers) is not Made.DONE:
        workers.stop()
        workplace.start(workers)
        wait_until(lambda: made(workplace, workers) is not Made.RUNNING)
    steps = ["opened", "debited", "key made", "key journalled", *(f"kept {name}" for name in KEPT)]
    wait_until(lambda: set(steps) <= set(Points(workplace.points).passed()))
    interrupted = files(workplace)
    assert interrupted == made_again(workplace)
    assert workplace.debits() == [RHO_MICRO]


@pytest.mark.parametrize("end", ["kill -KILL $$", "kill -SEGV $$", "exit 1", "exit 0"])
def test_what_crashes_is_started_three_times_and_then_has_failed(workplace: Workplace, end: str) -> None:
    workers = ProcessWorkers(1, ("/bin/sh", "-c", end))
    for crash in range(1, MOST_CRASHES + 1):
        workplace.start(workers)
        wait_until(lambda: made(workplace, workers) is not Made.RUNNING)
        assert made(workplace, workers) is (Made.NOT_BEGUN if crash < MOST_CRASHES else Made.FAILED)
    assert not (workplace.folder / Name.FAILURE).exists()


def test_work_that_has_no_memory_left_after_records_were_opened_goes_on_with_the_same_draw(
    workplace: Workplace,
) -> None:
    workplace.deadly("key journalled", f"kept {Name.MEASUREMENTS}")
    assert workplace.finish(workplace.workers("hungry")) is Made.DONE
    assert (workplace.folder / Name.LOG).read_text().count("MemoryError") == 2
    assert workplace.debits() == [RHO_MICRO]
    assert files(workplace) == made_again(workplace)


def test_work_that_never_has_the_memory_has_failed_and_its_rho_stays_spent(workplace: Workplace) -> None:
    workplace.deadly("debited", "key journalled", f"kept {Name.MEASUREMENTS}")
    assert workplace.finish(workplace.workers("hungry")) is Made.FAILED
    assert (workplace.folder / Name.LOG).read_text().count("MemoryError") == MOST_CRASHES
    assert workplace.debits() == [RHO_MICRO]
    assert not (workplace.folder / Name.OUTCOME).exists()


def test_what_was_not_possible_now_is_started_as_often_as_it_takes(workplace: Workplace) -> None:
    workers = ProcessWorkers(1, ("/bin/sh", "-c", f"exit {Unreachable.exit_code}"))
    for _ in range(MOST_CRASHES + 1):
        workplace.start(workers)
        wait_until(lambda: made(workplace, workers) is not Made.RUNNING)
        assert made(workplace, workers) is Made.NOT_BEGUN


def test_a_node_that_is_started_again_often_does_not_use_up_the_attempts(workplace: Workplace) -> None:
    for _ in range(MOST_CRASHES + 1):
        workers = workplace.workers()
        assert made(workplace, workers) is Made.NOT_BEGUN
        workplace.start(workers)
        workers.stop()
    assert made(workplace, workplace.workers()) is Made.NOT_BEGUN


def test_a_worker_dies_with_its_node(workplace: Workplace) -> None:
    workplace.deadly("opened")
    node = subprocess.Popen(
        [sys.executable, "-c", NODE, workplace.job.encode().hex(), str(workplace.folder), str(workplace.points)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert node.stdout is not None
    worker = int(node.stdout.readline())
    wait_until(lambda: "opened" in Points(workplace.points).passed())
    assert is_running(worker)
    node.kill()
    node.wait()
    wait_until(lambda: not is_running(worker))
    assert not (workplace.folder / Name.OUTCOME).exists()


NODE = """
import sys, time
from pathlib import Path
from node.workers.job import Job
from node.workers.process import ProcessWorkers
from tests.node.workplace import STORAGE_KEY, quick_command
job, folder, points = Job.decode(bytes.fromhex(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3])
workers = ProcessWorkers(1, quick_command(points, "held"))
workers.start(job, folder, STORAGE_KEY)
print(workers._children[job.order].pid, flush=True)
time.sleep(6_000)
"""


@pytest.mark.skipif(not LINUX, reason="what a process shows of itself stands in /proc on Linux")
def test_the_storage_key_stands_nowhere_but_in_memory(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGORA_SECRET_SETTING", "hush")
    workers = held(workplace, "key journalled")
    child = Path(f"/proc/{workplace.pid(workers)}")
    seen = (child / "cmdline").read_bytes() + (child / "environ").read_bytes()
    limits = (child / "limits").read_text()
    assert b"hush" not in seen
    assert str(workplace.folder).encode() in seen
    workers.stop()
    assert workplace.finish(workplace.workers()) is Made.DONE
    kept = b"".join(path.read_bytes() for path in workplace.folder.parent.parent.rglob("*") if path.is_file())
    for secret in (STORAGE_KEY, STORAGE_KEY.hex().encode()):
        assert secret not in seen
        assert secret not in kept
    (core,) = [line.split() for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core[4:6] == ["0", "0"]


def test_a_refusal_before_the_records_are_opened_is_a_failure_without_a_debit(tmp_path: Path) -> None:
    workplace = Workplace.prepare(tmp_path, rho_micro=200_000)
    workers = workplace.workers()
    assert workplace.finish(workers) is Made.FAILED
    assert "micro-rho left" in (workplace.folder / Name.FAILURE).read_text()
    assert workplace.debits() == []


def test_records_that_changed_on_the_disk_fail_before_anything_is_debited(
    workplace: Workplace, workers: ProcessWorkers
) -> None:
    (snapshot,) = (workplace.vault / "snapshots").iterdir()
    data = bytearray(snapshot.read_bytes())
    data[len(data) // 2] ^= 1
    snapshot.write_bytes(data)
    assert workplace.finish(workers) is Made.FAILED
    assert "restore the vault" in (workplace.folder / Name.FAILURE).read_text()
    assert workplace.debits() == []


def test_a_disk_that_takes_no_file_is_no_fault_of_the_work(workplace: Workplace, workers: ProcessWorkers) -> None:
    in_the_way = workplace.folder / f"{Name.MEASUREMENTS}.part"
    in_the_way.mkdir()
    workplace.start(workers)
    wait_until(lambda: made(workplace, workers) is not Made.RUNNING)
    assert workers._children[ORDER].returncode == Unreachable.exit_code
    assert made(workplace, workers) is Made.NOT_BEGUN
    in_the_way.rmdir()
    assert workplace.finish(workers) is Made.DONE
    assert workplace.debits() == [RHO_MICRO]


def test_what_was_closed_never_draws(workplace: Workplace, workers: ProcessWorkers) -> None:
    assert not workers.closed(workplace.folder)
    workers.close(ORDER, workplace.folder)
    assert workers.closed(workplace.folder)
    workplace.start(workers)
    wait_until(lambda: made(workplace, workers) is not Made.RUNNING)
    assert workplace.debits() == []
    assert not (workplace.folder / Name.OUTCOME).exists()


def test_closing_ends_what_runs(workplace: Workplace) -> None:
    workers = held(workplace, "opened")
    worker = workplace.pid(workers)
    workers.close(ORDER, workplace.folder)
    assert not is_running(worker)
    assert workers.closed(workplace.folder)


def test_nothing_is_closed_while_a_worker_of_an_earlier_node_is_there(workplace: Workplace) -> None:
    earlier, later = held(workplace, "opened"), workplace.workers()
    later.close(ORDER, workplace.folder)
    assert not later.closed(workplace.folder)
    earlier.stop()
    later.close(ORDER, workplace.folder)
    assert later.closed(workplace.folder)


def test_there_are_only_so_many_places(workplace: Workplace) -> None:
    assert workplace.workers().has_place()
    workers = held(workplace, "opened")
    assert not workers.has_place()
    workers.end(ORDER)
    assert workers.has_place()


def test_a_worker_that_was_stopped_from_outside_goes_on(workplace: Workplace) -> None:
    workers = held(workplace, "debited")
    os.kill(workplace.pid(workers), signal.SIGKILL)
    assert workplace.finish(workers) is Made.DONE
    assert workplace.debits() == [RHO_MICRO]


def test_work_that_ends_while_it_is_asked_about_is_done_and_no_crash(workplace: Workplace) -> None:
    class Ending:
        """A child that is seen to have ended just after it left its outcome."""

        def poll(self) -> int:
            (workplace.folder / Name.OUTCOME).touch()
            return 0

    workers = workplace.workers()
    workers._children[ORDER] = Ending()  # type: ignore[assignment]
    assert made(workplace, workers) is Made.DONE
