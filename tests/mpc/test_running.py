"""Sums between real processes over mutual TLS: right, the same for all, and signed by all."""

import os
import signal
from collections.abc import Callable

import numpy as np
import pytest

from node.mpc.frames import PIECE_VALUES
from node.mpc.masks import Batch, Tensor
from node.mpc.running import Closing, PartyProcess
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
