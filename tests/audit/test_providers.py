import pytest

from marketplace.protocol.identity import NOTHING

from ..protocol.examples import address
from ..protocol.history import PROVIDER, History, market
from .examples import check, failing, truthful

SAID, OTHER, CERTIFICATE = b"a" * 32, b"b" * 32, b"c" * 32


def ordered() -> History:
    """A market whose provider has an order."""
    history, offer = market()
    history.place(offer)
    return history


def test_descriptors_rotations_and_roots_are_counted() -> None:
    history = ordered()
    assert check(23, truthful(history)).evidence == "0 of 1 provider, 0 rotations, 0 roots"
    history.describe(PROVIDER, SAID, CERTIFICATE)
    history.describe(PROVIDER, OTHER, CERTIFICATE)
    history.describe(PROVIDER, OTHER, b"d" * 32)
    history.describe(PROVIDER, NOTHING, NOTHING)
    history.anchor(PROVIDER, history.now_s // 86_400, b"r" * 32)
    assert failing(truthful(history)) == set()
    assert check(23, truthful(history)).evidence == "1 of 1 provider, 1 rotation, 1 root"


@pytest.mark.parametrize("said", [(SAID, NOTHING), (NOTHING, CERTIFICATE)])
def test_a_descriptor_without_a_certificate_or_one_without_the_other_fails(said: tuple[bytes, bytes]) -> None:
    history = ordered()
    history.describe(PROVIDER, *said)
    history.describe(PROVIDER, SAID, CERTIFICATE)
    assert failing(truthful(history)) == {23}
    assert f"{PROVIDER[:10]} named one of descriptor and certificate" in check(23, truthful(history)).evidence


@pytest.mark.parametrize(("ahead", "passes"), [(-400, True), (0, True), (1, False)])
def test_a_root_of_a_day_that_has_not_begun_fails(ahead: int, passes: bool) -> None:
    history = ordered()
    day = (history.now_s + 1) // 86_400 + ahead
    history.anchor(PROVIDER, day, b"r" * 32)
    assert failing(truthful(history)) == (set() if passes else {23})
    if not passes:
        assert f"anchored a root of day {day:,}" in check(23, truthful(history)).evidence


@pytest.mark.parametrize(("early_s", "passes"), [(0, True), (1, False)])
def test_a_root_may_be_anchored_from_the_first_second_of_its_day(early_s: int, passes: bool) -> None:
    history = ordered()
    day = 30_000
    history.wait(day * 86_400 - history.now_s - 1 - early_s)
    history.anchor(PROVIDER, day, b"r" * 32)
    assert failing(truthful(history)) == (set() if passes else {23})


def test_what_somebody_without_orders_says_fails_nobodys_audit() -> None:
    history = ordered()
    history.describe(address(6), SAID, NOTHING)
    history.anchor(address(6), 10**6, b"r" * 32)
    assert failing(truthful(history)) == set()
