"""What only the embedded ledger has: accounts for the asking, and time that one can move."""

import pytest

from marketplace.errors import Refused
from marketplace.ledger.embedded import EmbeddedLedger


def test_accounts_come_with_gas_and_money(embedded_ledger: EmbeddedLedger) -> None:
    rich, poor = embedded_ledger.account(5_000_000), embedded_ledger.account()
    assert embedded_ledger.balance_units(embedded_ledger.token, rich.address) == 5_000_000
    assert embedded_ledger.balance_units(embedded_ledger.token, poor.address) == 0
    assert embedded_ledger.approve(poor, embedded_ledger.token, 1).gas > 0


@pytest.mark.parametrize("seconds", [1, 59, 10**7])
def test_time_advances_by_exactly_what_is_asked(embedded_ledger: EmbeddedLedger, seconds: int) -> None:
    before_s = embedded_ledger.now_s()
    embedded_ledger.advance(seconds)
    assert embedded_ledger.now_s() == before_s + seconds


def test_time_stands_still_while_nothing_happens(embedded_ledger: EmbeddedLedger) -> None:
    assert embedded_ledger.now_s() == embedded_ledger.now_s()


def test_with_a_clock_the_ledger_never_lags_behind_it() -> None:
    now_s = 2_000_000_000
    ledger = EmbeddedLedger(clock=lambda: now_s)
    signer = ledger.account()
    assert ledger.now_s() >= now_s
    now_s += 500
    receipt = ledger.approve(signer, ledger.token, 1)
    assert receipt.at_s >= now_s
    assert ledger.now_s() >= now_s


def test_each_ledger_is_a_world_of_its_own(embedded_ledger: EmbeddedLedger) -> None:
    other = EmbeddedLedger()
    assert other.domain != embedded_ledger.domain
    assert other.treasury != embedded_ledger.treasury


def test_a_transaction_with_a_number_too_high_is_refused(embedded_ledger: EmbeddedLedger) -> None:
    signer = embedded_ledger.account()
    call = embedded_ledger.calls.register(bytes(32), bytes(32), bytes(32), 1)
    first, again = embedded_ledger.prepare(signer, call), embedded_ledger.prepare(signer, call)
    assert first == again
    embedded_ledger.send(first)
    with pytest.raises(Refused, match="got that of dataset"):
        embedded_ledger.prepare(signer, call)
