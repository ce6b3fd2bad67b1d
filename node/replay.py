"""A draw made again on the provider's side: the same records, noise key and salts must give the same plain root.

Nothing is debited, since the draw's rho was, and nothing leaves the node. What is made is compared and deleted.
"""

import filecmp
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from marketplace.certificate.agreement import made_for
from marketplace.certificate.certificate import Environment
from marketplace.certificate.manifest import Manifest
from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol import result
from marketplace.protocol.account import Account
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.order import Delivery
from node.commission import LARGEST_DOCUMENT_BYTES, Commission, read_commission
from node.delivery import pack_result, plain_root
from node.environment import this_environment
from node.files import disk, write_whole
from node.journal import Journal
from node.pool.joint import is_joint
from node.sale import read_secrets
from node.synthesis.generator import CodedTable, Generator
from node.synthesis.generators import generator_of
from node.workers.job import Name

if TYPE_CHECKING:
    from node.vault.draw import Draw
    from node.workers.assignment import Assignment
    from node.workers.making import Look

REVIEW_SEED = 20_250_101


@dataclass(frozen=True)
class Replay:
    """What came of it. `delivered`: the plain root on the ledger; `found`: the one that the draw has now.

    `elsewhere`: the parts of the environment in which the certificate differs from this process. `altered`: kept files
    that are not what the draw gives.
    """

    delivered: bytes
    found: bytes
    elsewhere: tuple[str, ...]
    altered: tuple[str, ...]

    def check(self) -> None:
        """Raises `Corrupt` unless all is as it was; `Refused` where it is not, but neither is the environment."""
        if self.found == self.delivered and not self.altered:
            return
        what = ", ".join(self.altered) or "the result"
        if self.elsewhere:
            raise Refused(
                f"expected the environment of the certificate, this one differs in {', '.join(self.elsewhere)}; another "
                f"{what} proves nothing here, replay it there"
            )
        raise Corrupt(
            f"expected the draw to give what was kept and delivered, got another {what}; look for who changed it"
        )


@dataclass(frozen=True)
class Replaying:
    """What a replay needs of a node. `orders`: the folder of the orders' folders. `given`: a result's folder to compare
    with as well."""

    account: Account
    provider: Address
    store: ContentStore
    journal: Journal
    storage_key: bytes
    orders: Path
    vault: Path
    given: Path | None = None
    generators: Callable[[str], Generator] = generator_of

    def review(self, order: OrderId, note: Callable[[str], None]) -> Path:
        """What a reviewer asks of the result of `order`, on real records, into the order's folder; where the page is.

        Replays the draw for it, and raises as `replay` and `Replay.check` do, `Invalid` where too few records are held out.
        """
        from node.evaluation.review_page import review_page  # only here, as below
        from node.evaluation.reviewed import review_tables

        folder, pages = self.orders / order.hex(), dict[str, bytes]()

        def look(assignment: "Assignment", draw: "Draw", synthetic: CodedTable) -> None:
            note("reviewing")
            schema, wishes = assignment.schema, assignment.specification
            found = review_tables(draw.training, draw.holdout, synthetic, schema, wishes, REVIEW_SEED)
            pages[Name.REVIEW] = review_page(assignment.subject, schema, wishes.subgroups, found)
            pages[Name.REVIEW_SCORES] = found.encode()

        self.replay(order, note, look).check()
        for name, data in pages.items():
            write_whole(folder / name, data)
        return folder / Name.REVIEW

    def replay(self, order: OrderId, note: Callable[[str], None], look: "Look | None" = None) -> Replay:
        """Makes the result of `order` again and compares it.

        The records are opened under the order's own account entry, which the access log has before it happens. Raises
        `Refused` for an order that was not delivered or sells stock, `Invalid` for one that is not this node's, `Corrupt`
        where records or secrets are not those of the draw, and as vault, generator and disk do.
        """
        from node.workers.making import make  # only here: what it needs takes seconds to load

        commission, delivery = self._delivered(order)
        secrets = read_secrets(self.journal, SecretBox(self.storage_key), order)
        environment = self._environment(delivery, order)
        with disk(), TemporaryDirectory(dir=self.orders.parent, prefix="replay-") as place:
            folder = Path(place)
            commission.lay_out(folder)
            write_whole(folder / Name.JOB, commission.job(self.vault).encode())
            make(folder, self.storage_key, note, self.generators, again=True, look=look)
            names = result.names_of(commission.description.schema)
            pack_result(folder, names)
            root = plain_root(commission, folder, secrets)
            altered = tuple(self._altered(folder, self.orders / order.hex(), names))
        return Replay(delivery.plain_root, root, _differences(environment), altered)

    def _delivered(self, order: OrderId) -> tuple[Commission, Delivery]:
        view = self.account.orders.get(order)
        if view is None or self.account.offers[view.order.offer].offer.head.lead != self.provider:
            raise Invalid("expected an order of this node's own offers, got another id; `agora-node status` lists them")
        if view.delivery is None:
            raise Refused("expected an order that was delivered, this one was not; there is nothing to compare with")
        if (made := made_for(self.account, view)).id != order:
            raise Refused(
                f"expected an order that a result was made for, this one sells that of {made.id.hex()}; replay it"
            )
        if is_joint(self.account.offer_of(view)):
            raise Refused(
                "expected an order that this node answered alone, others took part in this one; nothing to replay"
            )
        commission = read_commission(self.account, view, self.orders / order.hex(), self.store)
        if commission is None:
            raise Corrupt(
                "expected the order's documents in its folder or in the store, found none; restore the folder"
            )
        return commission, view.delivery

    def _environment(self, delivery: Delivery, order: OrderId) -> Environment:
        kept = self.orders / order.hex() / Name.MANIFEST
        with disk():
            data = kept.read_bytes() if kept.exists() else b""
        if sha256(data).digest() != delivery.manifest:
            data = read_bytes(self.store, Cid.raw(delivery.manifest), LARGEST_DOCUMENT_BYTES)
        return Manifest.decode(data).certificate.environment

    def _altered(self, made: Path, kept: Path, names: Sequence[str]) -> Iterator[str]:
        for name in (Name.MEASUREMENTS, *names):
            if (kept / name).exists() and not filecmp.cmp(made / name, kept / name, shallow=False):
                yield f"kept {name}"
        if self.given is None:
            return
        for name in names:
            if not (self.given / name).exists() or not filecmp.cmp(made / name, self.given / name, shallow=False):
                yield f"given {name}"


def _differences(environment: Environment) -> tuple[str, ...]:
    now = vars(this_environment())
    return tuple(name for name, value in vars(environment).items() if now[name] != value)
