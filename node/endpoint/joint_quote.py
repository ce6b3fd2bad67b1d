"""What a quote says of a joint order: the order as it would come, by public facts, and what can be told of it."""

from marketplace.content.cid import Cid
from marketplace.content.store import ContentStore, read_bytes
from marketplace.errors import Invalid, Refused
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_cost import cost_of_cells
from marketplace.protocol.analysis_quote import Forecast, forecast_of, forecast_of_twin
from marketplace.protocol.crossing_cost import cost_of_crossings
from marketplace.protocol.description import Description
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Order, pack_versions
from marketplace.protocol.pool import check_members, together_micro
from marketplace.protocol.quote import Quote, QuoteRequest, Refusal, decimal_of
from marketplace.protocol.rho import delta_of, epsilon_of
from marketplace.protocol.specified import Specified
from node.admission import Holding
from node.commission import LARGEST_DOCUMENT_BYTES
from node.pool.admission import JointApplication
from node.pool.joint import JointCommission, Source
from node.twin.extent import extent_of
from node.twin.foreseen import likely
from node.twin.vertical import VerticalTwin

NOT_PLACED = OrderId(bytes(32))


def would_be(
    account: Account, offer: Offer, request: QuoteRequest, provider: Address, store: ContentStore
) -> JointCommission:
    """The order that `request` asks about, as `provider` would see it, on the newest versions. Raises as the store does."""
    datasets = [account.datasets[member.dataset] for member in offer.members]
    newest = [dataset.versions[-1] for dataset in datasets]
    described = [read_bytes(store, Cid.raw(version.description), LARGEST_DOCUMENT_BYTES) for version in newest]
    versions = pack_versions([len(dataset.versions) for dataset in datasets])
    order = Order(offer.id, request.buyer, request.digest, versions, request.until_s)
    return JointCommission(
        order=OrderView(NOT_PLACED, order, (), 0),
        offer=offer,
        index=next(place for place, member in enumerate(offer.members) if member.provider == provider),
        sources=tuple(map(Source, offer.members, datasets, newest, map(Description.decode, described))),
        specification=request.specification,
    )


def would_ask(made: JointCommission, identified: bool) -> JointApplication:
    """What that order would ask of the node, by what the ledger says of its dataset: the vault is not asked.

    `identified`: whether identifiers of the dataset are kept.
    """
    dataset, newest = made.own.dataset, made.own.version
    holding = Holding(len(dataset.versions), newest.commitment, dataset.left_micro, dataset.exact_left)
    return JointApplication(made, holding, None, identified)


def joint_quote(made: JointCommission, request: QuoteRequest, refusal: Refusal | None) -> Quote:
    """The answer to `request`."""
    head, rho_micro, unknown = made.offer.head, together_micro(made.offer), None
    forecast: Forecast | None = None
    try:
        forecast = _forecast(made, made.specification)
    except (Invalid, Refused):
        unknown = "it cannot be answered as it is asked for"
    return Quote(
        specification=request.digest,
        price_units=head.price_units,
        rho_micro=rho_micro,
        delta_atto=head.delta_atto,
        epsilon=None if made.is_exact else decimal_of(epsilon_of(rho_micro, delta_of(head.delta_atto))),
        refusal=refusal,
        expectation=None,
        unknown=unknown,
        forecast=forecast,
    )


def _forecast(made: JointCommission, specification: Specified) -> Forecast:
    if isinstance(specification, AnalysisSpecification):
        return forecast_of(made.offer, specification, made.schemas)
    check_members(made.offer, made.threshold, made.schemas)
    twin, schema = made.twin(specification), made.table
    if isinstance(twin, VerticalTwin):
        twin.check()
        crossings = list(likely(twin, twin.split.most([one.description.rows_declared for one in made.sources])))
        rounds, cost = len(crossings), cost_of_crossings(crossings)
    else:
        twin.check(schema)
        rounds = twin.rounds(schema)
        cost = cost_of_cells(rounds, extent_of(schema, specification).cells, twin.parties)
    return forecast_of_twin(made.offer, made.schemas, rounds, cost)
