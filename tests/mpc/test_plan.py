"""Who takes part: at least three, each once, each with the certificate that the ledger names."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.analysis_parties import check_parties
from node.mpc.plan import Limits, Plan
from tests.mpc.hospitals import Hospitals

Make = Callable[..., Hospitals]


def test_a_plan_survives_being_written_and_read(hospitals: Make) -> None:
    plan = replace(hospitals(5).plans[3], limits=Limits(0.25, 7.5, 2**30), threshold=2)
    assert Plan.decode(plan.encode()) == plan


def test_bytes_that_are_no_plan_are_corrupt(hospitals: Make) -> None:
    good = hospitals().plans[0].encode()
    for old, new in ((b'"own":0', b'"own":"0"'), (b'"own":0', b'"won":0'), (b'"limits":[', b'"limits":[1,')):
        assert old in good
        with pytest.raises(Corrupt):
            Plan.decode(good.replace(old, new))


@pytest.mark.parametrize(("parties", "threshold"), [(2, 0), (2, 1), (17, 1), (3, 0), (4, 2), (16, 8)])
def test_too_few_too_many_and_a_threshold_of_half_are_refused(parties: int, threshold: int) -> None:
    with pytest.raises(Refused):
        check_parties(parties, threshold)


@pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (4, 1), (5, 2), (16, 7)])
def test_an_honest_majority_of_three_and_more_may_begin(parties: int, threshold: int) -> None:
    assert check_parties(parties, threshold) is None


def test_a_party_listed_twice_is_invalid(hospitals: Make) -> None:
    plan = hospitals().plans[0]
    with pytest.raises(Invalid, match="once"):
        replace(plan, peers=(*plan.peers[:2], plan.peers[0]))


def test_a_number_that_is_no_partys_is_invalid(hospitals: Make) -> None:
    for change in ({"own": 3}, {"own": -1}, {"order": b"short"}, {"specification": b""}):
        with pytest.raises(Invalid):
            replace(hospitals().plans[0], **change)


def test_a_certificate_that_is_not_the_ledgers_is_corrupt(hospitals: Make) -> None:
    one, other, _ = hospitals().peers
    with pytest.raises(Corrupt, match="ledger"):
        replace(one, certificate=other.certificate)
    with pytest.raises(Corrupt, match="PEM"):
        replace(one, certificate="none")
    with pytest.raises(Invalid):
        replace(one, port=0)


def test_what_keys_are_bound_to_changes_with_order_specification_and_parties(hospitals: Make, tmp_path: Path) -> None:
    plan = hospitals().plans[0]
    others = [
        replace(plan, order=b"\1" * 32),
        replace(plan, specification=b"\1" * 32),
        replace(plan, peers=plan.peers[::-1]),
    ]
    assert len({plan.context, *(other.context for other in others)}) == 4
    assert {replace(plan, own=1).context, replace(plan, tls=tmp_path).context} == {plan.context}
