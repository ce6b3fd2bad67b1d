"""What the decision about an order depends on, gathered: its documents, the vault, the journal, the state of the work."""

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.errors import Invalid
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.identity import NOTHING, Address, PermitId
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import DeclineReason, OrderState, Reason
from node.admission import Application, Rules, StockApplication, objection, objection_to_stock
from node.commission import Commission, Earlier, read_commission
from node.effects import Effects
from node.holdings import holding_of
from node.journal import Mark
from node.objection import Objection
from node.pool.admission import JointApplication, objection_to_joint
from node.pool.joint import JointCommission, is_joint, read_joint
from node.skew import Skew
from node.vault.vault import Vault
from node.work import Desk, Made, Share


@dataclass(frozen=True)
class Papers:
    """What could be read about an order that is to be worked on, and why nothing can come of it, if that is so."""

    commission: Commission | JointCommission | None = None
    objection: Objection | None = None


@dataclass(frozen=True)
class Desks:
    """Lays desks for one provider's node. `vault` opens the vault, and is not called for a sale of stock. `skew`: of this
    machine's clock."""

    provider: Address
    vault: Callable[[], Vault]
    effects: Effects
    rules: Rules
    skew: Skew

    def papers(self, account: Account, order: OrderView) -> Papers:
        """The documents of a placed order that this provider leads or answers with others, and admission's answer. Nothing
        for any other."""
        offer = account.offer_of(order)
        if order.state is not OrderState.PLACED or not (offer.head.lead == self.provider or is_joint(offer)):
            return Papers()
        folder = self.effects.order_folder(order.id)
        try:
            if is_joint(offer):
                joint = read_joint(account, order, self.provider, folder, self.effects.store)
                return Papers(joint, self._objection_to_joint(joint) if joint else None)
            commission = read_commission(account, order, folder, self.effects.store)
        except Invalid as error:
            return Papers(objection=Objection(DeclineReason.SPECIFICATION, str(error)))
        return Papers(commission, self._objection(account, commission) if commission else None)

    def desk(self, account: Account, order: OrderView, papers: Papers) -> Desk:
        """The desk of an order in which this provider has a part."""
        offer, folder = account.offer_of(order), self.effects.order_folder(order.id)
        shares, workers = self._shares(account, order, offer), self.effects.workers
        sealed = self.effects.journal.last(order.id, Mark.SEALED)
        return Desk(
            order=order,
            offer=offer,
            leads=offer.head.lead == self.provider,
            shares=shares,
            permit=account.permits.get(PermitId(order.order.permit)),
            slot_s=papers.commission.specification.slot_s if papers.commission else None,
            objection=papers.objection,
            made=Made.RUNNING if self.effects.together.workers.running(order.id) else workers.made(order.id, folder),
            closed=workers.closed(folder),
            sealed_at_s=sealed.at_s if sealed else None,
            joint=is_joint(offer),
        )

    def _objection(self, account: Account, commission: Commission) -> Objection | None:
        """Why the order is not let in, by the provider's rules and by what is in the vault; None once it was let in."""
        if commission.earlier is not None:
            return self._objection_to_stock(commission, commission.earlier)
        name, versions = commission.dataset.salt, commission.dataset.versions
        if self.vault().account.touched(commission.order.id, name):
            return None
        application = Application(
            order=commission.order.order,
            offer=commission.offer,
            specification=commission.specification,
            description=commission.description,
            commitment=versions[-1].commitment,
            holding=holding_of(self.vault(), name, len(versions)),
            index=commission.index,
        )
        return objection(application, self.rules)

    def _objection_to_joint(self, made: JointCommission) -> Objection | None:
        """Why this node takes no part, by its provider's rules and by what is in the vault; None once it has counted."""
        name, versions = made.own.dataset.salt, made.own.dataset.versions
        if self.vault().account.touched(made.order.id, name):
            return None
        holding = holding_of(self.vault(), name, len(versions))
        identified = self.effects.together.roster_keys.has(name)
        return objection_to_joint(JointApplication(made, holding, self.skew.words, identified), self.rules)

    def _objection_to_stock(self, commission: Commission, earlier: Earlier) -> Objection | None:
        application = StockApplication(
            order=commission.order.order,
            offer=commission.offer,
            specification=commission.specification,
            earlier=earlier.specification,
            kept=self.effects.stock.has(earlier.order.id),
            flawed=earlier.order.reason is Reason.WRONG_BYTE,
        )
        return objection_to_stock(application, self.rules)

    def _shares(self, account: Account, order: OrderView, offer: Offer) -> tuple[Share, ...]:
        """This provider's datasets behind the order, where records may have been opened for it or rho may be released."""
        undelivered = order.state is OrderState.PLACED or order.reason in (Reason.DECLINED, Reason.NOT_DELIVERED)
        if not undelivered or offer.head.stock != NOTHING:
            return ()
        mine = [place for place, member in enumerate(offer.members) if member.provider == self.provider]
        return tuple(self._share(account, order, offer, index) for index in mine)

    def _share(self, account: Account, order: OrderView, offer: Offer, index: int) -> Share:
        dataset, kept = account.datasets[offer.members[index].dataset], self.vault().account
        touched = kept.touched(order.id, dataset.salt)
        return Share(index, dataset.id, accounted=kept.total(dataset.salt) > 0, touched=touched)
