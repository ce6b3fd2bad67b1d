"""Orders that need a permit of an authority."""

from dataclasses import dataclass, replace

from marketplace.buying.authority import Authority, Reasons, Request
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.account import PermitView
from marketplace.protocol.identity import PermitId
from marketplace.protocol.offer import Offer
from tests.buying.provider import HOUR_S
from tests.buying.world import World

RESEARCH, STATISTICS, EDUCATION = 4, 2, 3
PURPOSES = 1 << RESEARCH | 1 << STATISTICS
REASONS = Reasons("HDAB 2026/17", "For a study of hospital stays.\nResults are published within 18 months.")


@dataclass
class Office:
    """A world whose standing offer asks for permits of `signer`."""

    world: World
    signer: LocalSigner

    @property
    def authority(self) -> Authority:
        """The authority as a fresh program would begin."""
        return Authority(self.world.ledger, self.world.store, self.signer)

    @property
    def offer(self) -> Offer:
        """The offer that stands."""
        assert self.world.standing
        return self.world.standing

    def request(self, **changes: object) -> Request:
        """A permit for research on the offer's dataset, for this year."""
        now_s = self.world.ledger.now_s()
        subjects = tuple(member.dataset for member in self.offer.members)
        request = Request(self.world.buyer.address, RESEARCH, now_s - 10, now_s + 365 * 24 * HOUR_S, subjects)
        return replace(request, **changes)  # type: ignore[arg-type]

    def grant(self, **changes: object) -> PermitId:
        """A permit."""
        return self.authority.grant(self.world.client().account(), self.request(**changes), REASONS)[0]

    def view(self, permit: PermitId) -> PermitView:
        """The permit as it stands."""
        return self.world.client().account().permits[permit]


def found(world: World, **terms: object) -> Office:
    """The world with an authority, on an offer of its own."""
    signer = world.ledger.account()
    conditions = {"authority": signer.address, "purposes": PURPOSES, "max_open": 1_000} | terms
    offer = world.provider.offer(world.provider.list_dataset(), staked_units=0, **conditions)
    return Office(replace(world, standing=offer), signer)
