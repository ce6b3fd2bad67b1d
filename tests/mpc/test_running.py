"""Sums between real processes over mutual TLS: right, the same for all, and signed by all."""

import os
import shlex
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from node.mpc import party
from node.mpc.ending import Ended, Reason
from node.mpc.frames import PIECE_VALUES
from node.mpc.masks import Batch, Tensor
from node.mpc.plan import Limits
from node.mpc.running import COMMAND, Closing, PartyProcess
from tests.mpc.hospitals import Hospitals, summed

EXTREMES = np.array([0, 1, -1, 2**62, -(2**62), 2**61 - 1, -(2**61)], np.int64)


@pytest.mark.parametrize("parties", [3, 5])
def test_everybody_gets_the_sums_and_everybodys_signature(hospitals: Callable[..., Hospitals], parties: int) -> None:
    made = hospitals(parties)
    made.start_all()
    drawn = np.random.default_rng(7)
    tensors = [Tensor(0, "few", 7), Tensor(0, "many", 2 * PIECE_VALUES + 5), Tensor(1, "few", 7), Tensor(1, "none", 0)]
    numbers = {t: drawn.integers(-(2**58), 2**58, (parties, t.cells)) for t in tensors}
    numbers[tensors[0]][:] = 0
    numbers[tensors[0]][1] = EXTREMES

    def work(number: int, process: PartyProcess) -> tuple[list[np.ndarray], Closing]:
        process.ready()
        first = [summed(process, t, numbers[t][number]) for t in tensors[:1]]
        rest = process.sum(Batch(tuple(tensors[1:])), [numbers[t][number] for t in tensors[1:]])
        return [*first, *rest], process.finish()

    answers = [one.result() for one in made.each(work).values()]
    for sums, closing in answers:
        for tensor, total in zip(tensors, sums, strict=True):
            assert np.array_equal(total, numbers[tensor].sum(axis=0))
        assert closing.transcript == answers[0][1].transcript
        assert len(closing.transcript.signatures) == parties
        assert closing.moved_bytes > 2 * 8 * (parties - 1) * 2 * PIECE_VALUES


def test_a_process_that_does_not_stir_is_ended_all_the_same(hospitals: Callable[..., Hospitals]) -> None:
    process = hospitals().start(0)
    os.kill(process.pid, signal.SIGSTOP)
    process.close()
    assert process._child.returncode == -signal.SIGKILL


def test_a_process_that_is_gone_before_it_hears_a_word_is_this_partys_own_end(
    hospitals: Callable[..., Hospitals], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(subprocess.Popen[bytes]):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.wait()

    monkeypatch.setattr(subprocess, "Popen", Gone)
    with pytest.raises(Ended) as raised:
        hospitals().start(1, ("true",))
    assert (raised.value.party, raised.value.reason, raised.value.by) == (1, Reason.STOPPED, 1)


def test_a_process_that_takes_long_to_start_is_waited_for_beyond_the_deadline_that_it_then_has(
    hospitals: Callable[..., Hospitals], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(party, "END_S", 0.0)
    made = hospitals(limits=Limits(deadline_s=0.1))
    late = ("sh", "-c", f"sleep 1; exec {shlex.join(COMMAND)}")
    with pytest.raises(Ended) as raised:
        made.start(0, late).ready()
    assert (raised.value.party, raised.value.reason) == (1, Reason.NOT_REACHED)
