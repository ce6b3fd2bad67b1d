"""What providers say about themselves: events, and nothing else."""

import pytest

from .conftest import Stage

DESCRIPTOR, CERTIFICATE, ROOT = b"\1" * 32, b"\2" * 32, b"\3" * 32


def test_a_descriptor_is_told_with_its_account(stage: Stage) -> None:
    for certificate in (CERTIFICATE, b"\4" * 32, bytes(32)):
        (event,) = stage.market.providers.send(stage.provider, "describe", DESCRIPTOR, certificate).events
        assert event.name == "ProviderDescribed"
        assert event.values == {"provider": stage.provider, "descriptor": DESCRIPTOR, "certificate": certificate}


@pytest.mark.parametrize("day", [0, 20_000, 2**32 - 1])
def test_a_root_is_anchored_for_a_day(stage: Stage, day: int) -> None:
    (event,) = stage.market.providers.send(stage.stranger, "anchor", day, ROOT).events
    assert (event.name, event.values) == ("RootAnchored", {"provider": stage.stranger, "day": day, "root": ROOT})


def test_nothing_that_is_said_is_stored(stage: Stage) -> None:
    before = stage.market.evm.word(stage.market.providers.address, 0)
    stage.market.providers.send(stage.provider, "describe", DESCRIPTOR, CERTIFICATE)
    assert stage.market.evm.word(stage.market.providers.address, 0) == before == 0
