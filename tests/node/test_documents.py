"""What the node's processes write for each other, there and back."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.certificate.certificate import Environment, Mechanism, Stage, StageKind
from marketplace.errors import Corrupt
from marketplace.protocol import canonical
from marketplace.protocol.order import CODEC_DAG_PB, Delivery
from marketplace.scores.curve import NoisyCurve
from marketplace.scores.score import Score
from node.delivery import decode_delivery, encode_delivery
from node.outcome import Outcome
from node.workers.job import Job
from tests.node.examples import ORDER
from tests.protocol.examples import address

IDS = st.binary(min_size=32, max_size=32)
WHOLE = st.integers(0, 2**53 - 1)
JOB = Job(ORDER, b"d" * 32, 1, b"c" * 32, 20_000, 10**12, address(1), Path("/vault"))
OUTCOME = Outcome(
    mechanism=Mechanism(
        name="private-marginals",
        version="1",
        parameters=(("chosen", "1"),),
        generate=(Stage("cells/0/0", StageKind.GAUSSIAN, 19_000, "2", "50"),),
        evaluate=(Stage("rows", StageKind.GAUSSIAN, 1_000, "2", "2000/3"),),
    ),
    scores=(Score("l1_1way", "0.100000", "0.010000", "0.900000", "0.050000"),),
    curves=(NoisyCurve((3, -1), Fraction(7, 2)),),
    register=b"r" * 32,
    noise_commitment=b"n" * 32,
    environment=Environment("a" * 64, "b" * 64, "CPython 3.11", "Linux x86_64"),
)
DELIVERY = Delivery(*(bytes([place]) * 32 for place in range(5)), count=7, object_codec=CODEC_DAG_PB)


@given(IDS, IDS, WHOLE, IDS, WHOLE, WHOLE)
def test_a_job_comes_back(
    order: bytes, dataset: bytes, version: int, commitment: bytes, rho_micro: int, delta_atto: int
) -> None:
    job = replace(
        JOB,
        order=order,
        dataset=dataset,
        version=version,
        commitment=commitment,
        rho_micro=rho_micro,
        delta_atto=delta_atto,
    )
    assert Job.decode(job.encode()) == job


def test_an_outcome_comes_back() -> None:
    assert Outcome.decode(OUTCOME.encode()) == OUTCOME


def test_a_delivery_comes_back() -> None:
    assert decode_delivery(encode_delivery(DELIVERY)) == DELIVERY


@pytest.mark.parametrize(
    "data", [JOB.encode(), OUTCOME.encode(), encode_delivery(DELIVERY)], ids=["job", "outcome", "delivery"]
)
def test_other_bytes_are_corrupt(data: bytes) -> None:
    decode = {b"job": Job.decode, b"outcome": Outcome.decode, b"delivery": decode_delivery}
    (noun,) = [noun for noun in decode if b'"agora/%b/1"' % noun in data]
    document = canonical.decode(data, noun.decode(), 1)
    broken = [canonical.encode({**document, name: None}) for name in document if name != "format"]
    broken += [canonical.encode({**document, "format": "agora/egg/1"}), data[:-1], b"", data.replace(b":", b": ", 1)]
    for other in broken:
        with pytest.raises(Corrupt):
            decode[noun](other)
