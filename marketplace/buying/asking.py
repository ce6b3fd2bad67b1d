"""Whom a buyer asks to open chunks, and how: by what the ledger says of the lead's node, with requests that it signs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from marketplace.buying.endpoint import ask
from marketplace.errors import Refused
from marketplace.ledger.ids import Domain
from marketplace.ledger.signatures import sign_chunk_request
from marketplace.ledger.signer import Signer
from marketplace.protocol.account import Account
from marketplace.protocol.chunks import VERB, ChunkKeys, ChunkRequest
from marketplace.protocol.descriptor import Described, Descriptor
from marketplace.protocol.identity import Address, DeliveryHash, OrderId


class NoEndpoint(Refused):
    """The provider has described no node: there is nobody to ask."""


def described_by(account: Account, provider: Address) -> Described:
    """What `provider` said last of its node. Raises `NoEndpoint` if it never described one, or said that it is gone."""
    view = account.providers.get(provider)
    if view is None or view.descriptor is None:
        raise NoEndpoint(
            f"expected a provider that describes its node on the ledger, {provider} describes none; judge an offer by its "
            "description, a delivery by its released scores"
        )
    return Described(view.descriptor.descriptor, view.descriptor.certificate)


@dataclass(frozen=True)
class Asking:
    """Asks the node behind `descriptor` for keys of chunks of one delivery, signed by `signer`, each time until `until_s`."""

    descriptor: Descriptor
    domain: Domain
    signer: Signer = field(repr=False)
    order: OrderId
    delivery: DeliveryHash
    until_s: int

    def __call__(self, indices: tuple[int, ...]) -> Mapping[int, bytes]:
        """The keys of these chunks. Raises as `ask` does, and `Corrupt` for an answer about another order."""
        request = ChunkRequest(self.order, self.delivery, indices, self.until_s)
        signature = sign_chunk_request(self.signer, self.domain, request)
        answer = ask(self.descriptor, VERB, request.encode(signature))
        return ChunkKeys.decode(answer).keys_of(self.order)
