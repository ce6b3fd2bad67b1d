"""What a provider decides about an offer, and the terms that follow from it."""

from dataclasses import dataclass

from marketplace.errors import Invalid
from marketplace.protocol.identity import NOBODY, Address
from marketplace.protocol.offer import Guarantee, Head, Kind
from marketplace.protocol.unit import PrivacyUnit

DAY_S = 86_400


@dataclass(frozen=True)
class Conditions:
    """What a provider decides about an offer. Amounts in token units, windows in seconds.

    `epsilon`: the most that one order may reveal; the offer takes the largest whole micro-rho that keeps to it. None for
    exact results, which promise nothing, take of the datasets' allowance and ask for an authority's permits.
    `authority`: whose permits are asked for, and `purposes`: the set of theirs that count, purpose `p` as bit `p`; NOBODY and
    0 for none. `arbiter`: who rules contested orders within `rule_window_s`, for `contest_deposit_units`; NOBODY and zeros for
    none. `kind`: what is sold. `unit`: whom a promise of several datasets protects. Raises `Invalid` where one of these is
    there without the others that it needs.
    """

    token: Address
    epsilon: float | None
    cost_units: int
    margin_units: int
    bond_units: int
    deliver_window_s: int = DAY_S
    accept_window_s: int = 7 * DAY_S
    reveal_window_s: int = DAY_S
    challenge_window_s: int = 3 * DAY_S
    rule_window_s: int = 0
    licence_days: int = 365
    compute_fee_bps: int = 500
    contest_deposit_units: int = 0
    max_open: int = 8
    valid_days: int = 180
    authority: Address = NOBODY
    purposes: int = 0
    arbiter: Address = NOBODY
    kind: Kind = Kind.SYNTHETIC
    unit: PrivacyUnit = PrivacyUnit.PERSON

    def __post_init__(self) -> None:
        if (self.authority == NOBODY) != (self.purposes == 0):
            raise Invalid(
                "expected an authority together with the purposes of its permits, got one of the two; give both"
            )
        if self.epsilon is None and self.authority == NOBODY:
            raise Invalid(
                "expected an authority whose permits are asked for in an offer of exact results, got none; name it"
            )
        if self.epsilon is None and self.unit is not PrivacyUnit.PERSON:
            raise Invalid(
                "expected an epsilon together with a privacy unit, exact results protect nobody; give one of them"
            )
        if self.arbiter == NOBODY and (self.rule_window_s or self.contest_deposit_units):
            raise Invalid("expected an arbiter with a window or a deposit for contests, got none; name the arbiter")

    def head(self, lead: Address, terms: bytes, delta_atto: int, now_s: int) -> Head:
        """The terms of an offer that `lead` publishes at `now_s`. `terms`: SHA-256 of its licence."""
        return Head(
            lead=lead,
            kind=self.kind,
            guarantee=Guarantee.EXACT if self.epsilon is None else Guarantee.DIFFERENTIALLY_PRIVATE,
            token=self.token,
            cost_units=self.cost_units,
            margin_units=self.margin_units,
            delta_atto=0 if self.epsilon is None else delta_atto,
            deliver_window_s=self.deliver_window_s,
            accept_window_s=self.accept_window_s,
            reveal_window_s=self.reveal_window_s,
            challenge_window_s=self.challenge_window_s,
            rule_window_s=self.rule_window_s,
            licence_s=self.licence_days * DAY_S,
            compute_fee_bps=self.compute_fee_bps,
            bond_units=self.bond_units,
            contest_deposit_units=self.contest_deposit_units,
            max_open=self.max_open,
            terms=terms,
            valid_until_s=now_s + self.valid_days * DAY_S,
            purposes=self.purposes,
            authority=self.authority,
            arbiter=self.arbiter,
            unit=self.unit,
        )
