"""Orders under an offer that names an arbiter."""

from dataclasses import dataclass, replace
from pathlib import Path

from marketplace.buying.arbitration import rule
from marketplace.buying.examination import examine
from marketplace.ledger.ledger import Receipt
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import OrderId
from marketplace.protocol.settlement import Ruling
from tests.buying.provider import EURO, HOUR_S
from tests.buying.world import World

DEPOSIT_UNITS = 10 * EURO
BECAUSE = "The column age holds one value only.\nThe report says otherwise."


@dataclass
class Court:
    """A world whose standing offer names `arbiter`."""

    world: World
    arbiter: LocalSigner

    def revealed(self, wrong_chunk: int | None = None) -> OrderId:
        """An order whose key is out, with a wrong chunk if one is given."""
        self.world.provider.cheats_on_chunk = wrong_chunk
        return self.world.revealed()

    def contested(self, evidence: Path | None = None, wrong_chunk: int | None = None) -> OrderId:
        """An order that its buyer contested."""
        order = self.revealed(wrong_chunk)
        self.world.client().contest(order, BECAUSE, evidence)
        return order

    def rule(self, order: OrderId, price_bps: int, bond_bps: int, by: LocalSigner | None = None) -> tuple[Receipt, ...]:
        """What the arbiter sends, or somebody else in its place."""
        account = self.world.client().account()
        ruling = Ruling(price_bps, bond_bps)
        return rule(self.world.ledger, account, by or self.arbiter, account.orders[order], ruling)

    def examine(self, order: OrderId, evidence: bytes, out: Path) -> dict[str, Path]:
        """What the arbiter opens."""
        world, account = self.world, self.world.client().account()
        view, domain = account.orders[order], world.ledger.domain
        return examine(account, view, domain, world.store, evidence, out, lambda _: None)

    def units(self, who: LocalSigner) -> int:
        """What somebody holds, and what it may withdraw."""
        ledger = self.world.ledger
        return ledger.balance_units(ledger.token, who.address) + ledger.credit_units(ledger.token, who.address)


def summon(world: World) -> Court:
    """The world with an arbiter, on an offer of its own."""
    arbiter = world.ledger.account()
    offer = world.provider.offer(
        world.provider.list_dataset(),
        staked_units=0,
        arbiter=arbiter.address,
        rule_window_s=2 * HOUR_S,
        contest_deposit_units=DEPOSIT_UNITS,
        max_open=1_000,
    )
    return Court(replace(world, standing=offer), arbiter)
