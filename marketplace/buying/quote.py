"""Asking a provider's node what is to be expected of an order, before anything is paid."""

from dataclasses import dataclass

from marketplace.buying.asking import described_by
from marketplace.buying.client import ASKING_S, Client
from marketplace.buying.endpoint import ask, read_descriptor
from marketplace.buying.listing import Entry, read_entry
from marketplace.buying.purchase import Questions, Wishes, analysis_of, specification_of
from marketplace.errors import Corrupt, Refused
from marketplace.ledger.signatures import sign_quote_request
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_quote import forecast_of, forecast_of_twin
from marketplace.protocol.descriptor import Described
from marketplace.protocol.identity import OfferId
from marketplace.protocol.quote import NO_KEY, NO_NONCE, VERB, Quote, QuoteRequest
from marketplace.protocol.specified import Specified


@dataclass(frozen=True)
class Quoted:
    """An offer, the order that was asked about, and what the provider's node said of it."""

    entry: Entry
    specification: Specified
    quote: Quote


def ask_quote(client: Client, offer: OfferId, wishes: Wishes | Questions, described: Described | None = None) -> Quoted:
    """What the node of the offer's lead expects of an order with these wishes, or of these questions to all members.

    `described`: what to believe of the lead's descriptor; None for what it said last on the ledger. Raises `Invalid` for
    wishes that the schema rules out, `Refused` for stock, `NoEndpoint` where the lead describes no node, as `ask` and the
    store do, and `Corrupt` for an answer that differs from the offer on the ledger.
    """
    account = client.account()
    entry = read_entry(account, offer, client.store)
    if entry.earlier is not None:
        raise Refused("expected an offer of new results, this one sells an earlier one; read its certificate")
    specification = (
        analysis_of(entry, wishes, NO_KEY, NO_NONCE)
        if isinstance(wishes, Questions)
        else specification_of(entry, wishes, NO_KEY, NO_NONCE)
    )
    lead = entry.view.offer.head.lead
    descriptor = read_descriptor(described or described_by(account, lead), lead, client.store)
    request = QuoteRequest(client.signer.address, specification, client.now_s() + ASKING_S)
    signature = sign_quote_request(client.signer, client.ledger.domain, request)
    quote = Quote.decode(ask(descriptor, VERB, request.encode(signature)))
    head = entry.view.offer.head
    if (quote.specification, quote.price_units, quote.delta_atto) != (
        request.digest,
        head.price_units,
        head.delta_atto,
    ):
        raise Corrupt("expected a quote of this order under the terms on the ledger, got another; ask the provider")
    quoted = Quoted(entry, specification, quote)
    _check_forecast(quoted)
    return quoted


def _check_forecast(quoted: Quoted) -> None:
    """Raises `Corrupt` where the node forecasts something else than follows from public facts. What a twin takes at most is
    the node's word."""
    forecast, asked, offer = quoted.quote.forecast, quoted.specification, quoted.entry.view.offer
    if forecast is None:
        return
    if isinstance(asked, AnalysisSpecification):
        own = forecast_of(offer, asked, [source.description.schema for source in quoted.entry.sources])
    elif len(offer.members) > 1:
        schemas = [source.description.schema for source in quoted.entry.sources]
        own = forecast_of_twin(offer, schemas, forecast.rounds, forecast.cost)
    else:
        raise Corrupt("expected a quote of synthetic rows, got one of a joint analysis; ask the provider")
    if own != forecast:
        raise Corrupt("expected the lane, noise and cost that follow from the offer, got others; ask the provider")
