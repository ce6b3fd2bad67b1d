"""The process that counts, seen from its node: told its keys alone, for one order at a time, and gone with its node."""

import fcntl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from marketplace.errors import Refused, Unreachable
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Histogram
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.files import growing_file, write_whole
from node.workers.count_child import FAILED
from node.workers.count_process import COUNT_CHILD, CountProcess
from node.workers.job import JointJob, Name
from tests.node.examples import SCHEMA
from tests.node.workplace import RHO_MICRO, STORAGE_KEY, Workplace

QUESTIONS = AnalysisSpecification(b"f" * 32, (Histogram("age", 10),), 600, b"k" * SEALING_KEY_BYTES, b"n" * 32)
ROSTER_KEY, AGREED = bytes(range(50, 82)), bytes(range(32))
TELL = "import os, sys; print(sorted(os.environ), sys.argv[1:], sorted(os.listdir('/proc/self/fd')))"


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    made = Workplace.prepare(tmp_path)
    write_whole(made.folder / Name.SPECIFICATION, QUESTIONS.encode())
    return made


def process(place: Workplace, *command: str) -> CountProcess:
    job = JointJob(place.job, 3 * RHO_MICRO, 6, 3, 1)
    made = CountProcess(job, QUESTIONS, SCHEMA, place.folder, STORAGE_KEY, command or COUNT_CHILD, ROSTER_KEY)
    made.agree(AGREED)
    return made


@contextmanager
def locked(place: Workplace) -> Iterator[int]:
    """The order's lock, held by somebody else. Gives the number by which the system knows its file."""
    with growing_file(place.folder / Name.LOCK) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield (place.folder / Name.LOCK).stat().st_ino


def until_it_waits(inode: int) -> None:
    end = time.monotonic() + 60
    while not any("->" in line and f":{inode} " in line for line in Path("/proc/locks").read_text().splitlines()):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_is_asked_is_counted_and_no_key_stands_in_a_file(place: Workplace) -> None:
    with process(place) as counter:
        assert not counter.asked
        assert np.abs(counter.count(())["0/bins"]).sum() > 0
        assert counter.asked
    assert place.debits() == [RHO_MICRO]
    kept = b"".join(path.read_bytes() for path in place.folder.iterdir())
    assert not any(key in kept or key.hex().encode() in kept for key in (STORAGE_KEY, ROSTER_KEY, AGREED))


def test_argv_environment_and_open_files_tell_the_orders_folder_alone(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGORA_PASSPHRASE", "a secret of the node")
    counter = process(place, sys.executable, "-c", TELL)
    with pytest.raises(Unreachable, match="the process that counts"):
        counter.count(())
    assert counter._child is not None and counter._child.wait(60) == 0
    counter.close()
    told = (place.folder / Name.LOG).read_text()
    assert "'PATH'" in told and "AGORA" not in told
    assert told.endswith(f"['{place.folder}'] ['0', '1', '2', '3']\n")  # the last is the folder that lists them


@pytest.mark.parametrize("over", [Name.CLOSED, Name.OUTCOME])
def test_an_order_that_is_over_is_not_counted(place: Workplace, over: Name) -> None:
    write_whole(place.folder / over, b"")
    with process(place) as counter, pytest.raises(Unreachable):
        counter.count(())
    assert place.debits() == []


@pytest.mark.slow
def test_why_nothing_is_counted_is_told_to_its_own_node(place: Workplace) -> None:
    with process(place) as counter:
        counter.count(())
    with process(place) as again, pytest.raises(Refused, match="nothing is drawn again"):
        again.count(())
    assert place.debits() == [RHO_MICRO]


@pytest.mark.skipif(sys.platform != "linux", reason="who waits for a lock is told by Linux")
def test_an_order_is_counted_by_one_process_at_a_time(place: Workplace) -> None:
    counter = process(place)
    with counter:
        with locked(place) as inode:
            line = counter._tell(())
            until_it_waits(inode)
            write_whole(place.folder / Name.CLOSED, b"")
        with pytest.raises((OSError, EOFError)):
            line.receive_values(np.empty(10, "<i8"))
        assert counter._child is not None and counter._child.wait(60) == FAILED
    assert place.debits() == []


@pytest.mark.skipif(sys.platform != "linux", reason="who waits for a lock is told by Linux")
def test_a_process_that_counts_ends_with_its_node_whatever_it_does(place: Workplace) -> None:
    counter = process(place)
    with counter, locked(place) as inode:
        line = counter._tell(())
        until_it_waits(inode)
        line.close()
        assert counter._child is not None and counter._child.wait(60) == FAILED
