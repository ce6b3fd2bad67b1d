"""Ready-made offers: an earlier delivery is sold again, byte for byte, and takes nothing of any budget."""

from typing import Any

import pytest

from marketplace.protocol.states import OrderState, Reason
from scripts.benchmarks.evm import Reverted
from scripts.benchmarks.life import Life, delivery, key_hash
from scripts.benchmarks.market import DAY_S, Terms

from .conftest import Stage

OTHER = b"\7" * 32
NEW_KEY = b"\x08" * 32


def stock_head(stage: Stage, life: Life, **changes: Any) -> Any:
    """Terms of an offer that sells what an order delivered."""
    return life.terms.head._replace(stock=life.made.plainRoot, maxOpen=77, **changes)


def free(members: list[Any]) -> list[Any]:
    """The same members for stock: nothing is taken of their budgets."""
    return [member._replace(rhoMicro=0) for member in members]


def origin(stage: Stage, life: Life) -> Any:
    return stage.market.origin(life.terms, life.order, life.made)


def publish(stage: Stage, life: Life, head: Any = None, members: list[Any] | None = None, of: Any = None) -> Any:
    """Try an offer of what an order delivered."""
    head, members = head or stock_head(stage, life), members or free(life.terms.members)
    consents = stage.market.consents(head, members)
    return stage.rules.send(head.lead, "publishStock", head, members, consents, of or origin(stage, life))


def stocked(stage: Stage, life: Life) -> Terms:
    """An offer of what an order delivered."""
    head, members = stock_head(stage, life), free(life.terms.members)
    publish(stage, life, head, members)
    terms = stage.market.terms(head, members)
    stage.offers.append(terms)
    return terms


def pooled(stage: Stage) -> Terms:
    return stage.offer(stage.market.head(), *stage.market.pool(stage.provider, *stage.market.others[:2], total=1_000))


def test_an_offer_of_stock_tells_where_it_comes_from(stage: Stage) -> None:
    life = stage.settled()
    published, offered = publish(stage, life).events
    assert published.name == "OfferPublished"
    assert offered.name == "StockOffered"
    assert offered.values == {"offer": published.values["offer"], "origin": life.id}


@pytest.mark.parametrize("pool", [False, True], ids=["one provider", "pool"])
def test_stock_is_sold_again_under_a_key_of_its_own_without_any_rho(stage: Stage, pool: bool) -> None:
    first = stage.settled(0, pooled(stage) if pool else None)
    used = [stage.rules.ask("getDataset", member.dataset).used for member in first.terms.members]
    terms = stocked(stage, first)
    for number in (1, 2):
        life = stage.placed(number, terms)
        life.made = delivery(keyHash=key_hash(NEW_KEY), commitmentRoot=OTHER)
        life.__post_init__()
        life.deliver()
        life.accept()
        life.reveal(key=NEW_KEY)
        life.settle()
    assert [stage.rules.ask("getDataset", member.dataset).used for member in terms.members] == used
    assert stage.rules.ask("getOffer", terms.offer).accrued == 2 * terms.price


def test_another_result_than_the_stock_is_not_delivered(stage: Stage) -> None:
    life = stage.placed(1, stocked(stage, stage.settled()))
    life.made = delivery(plainRoot=OTHER)
    with stage.refused("WrongStock", life.terms.head.stock, OTHER):
        life.deliver()


def test_an_order_of_stock_names_no_version_and_no_budget_stops_it(stage: Stage) -> None:
    terms = stocked(stage, stage.settled())
    with stage.refused("OutOfRange", "versions", 1, 0, 0):
        stage.order(1, terms, versions=1).place()
    stage.rules.send(stage.provider, "revise", stage.dataset, bytes(32), bytes(32))
    stage.placed(2, terms)


def test_an_order_of_stock_releases_nothing(stage: Stage) -> None:
    life = stage.placed(1, stocked(stage, stage.settled()))
    life.decline()
    with stage.refused("NotReleasable", life.id, OrderState.REFUNDED, Reason.DECLINED):
        life.release()
    assert stage.used == 100


def test_stock_ends_at_its_date(stage: Stage) -> None:
    first = stage.settled()
    head = stock_head(stage, first)._replace(validUntil=stage.market.evm.now_s + DAY_S)
    publish(stage, first, head)
    terms = stage.market.terms(head, free(first.terms.members))
    life = stage.order(1, terms, placeBy=2**40)
    stage.market.evm.travel(head.validUntil + 1)
    with stage.refused("OfferExpired", terms.offer, head.validUntil):
        life.place()


def rejected(stage: Stage) -> Life:
    life = stage.delivered()
    life.reject()
    return life


def lapsed(stage: Stage) -> Life:
    life = stage.delivered()
    stage.travel(2 * DAY_S + 1)
    life.refund()
    return life


def unrevealed(stage: Stage) -> Life:
    life = stage.accepted()
    stage.market.evm.travel(life.standing.deadline + 1)
    life.forfeit()
    return life


@pytest.mark.parametrize("way", [Stage.delivered, Stage.revealed, Stage.settled, rejected, lapsed, unrevealed])
def test_a_delivery_becomes_stock_however_its_order_ended(stage: Stage, way: Any) -> None:
    assert stocked(stage, way(stage)).offer


@pytest.mark.parametrize("way", [Stage.order, Stage.placed])
def test_what_was_not_delivered_is_no_stock(stage: Stage, way: Any) -> None:
    life = way(stage)
    with stage.refused("NotStock", life.id):
        publish(stage, life)


def test_a_delivery_with_a_wrong_byte_is_no_stock(stage: Stage) -> None:
    life = stage.revealed()
    life.complain()
    with stage.refused("NotStock", life.id):
        publish(stage, life)


@pytest.mark.parametrize("field", ["plainRoot", "commitmentRoot", "count", "manifest"])
def test_another_delivery_than_the_recorded_one_is_no_stock(stage: Stage, field: str) -> None:
    life = stage.settled()
    made = life.made._replace(**{field: 3 if field == "count" else OTHER})
    head = stock_head(stage, life)._replace(stock=made.plainRoot)
    with stage.refused("NotStock", life.id):
        publish(stage, life, head, of=stage.market.origin(life.terms, life.order, made))


def test_the_stock_named_is_the_one_that_was_delivered(stage: Stage) -> None:
    life = stage.settled()
    with stage.refused("WrongStock", OTHER, life.made.plainRoot):
        publish(stage, life, stock_head(stage, life)._replace(stock=OTHER))


@pytest.mark.parametrize("changes", [{"kind": 1}, {"delta": 1}], ids=str)
def test_stock_promises_what_the_first_sale_promised(stage: Stage, changes: dict[str, int]) -> None:
    life = stage.settled()
    with stage.refused("NotStock", life.id):
        publish(stage, life, stock_head(stage, life, **changes))


def test_stock_that_was_private_is_not_sold_as_exact(stage: Stage) -> None:
    life = stage.settled()
    head = stage.market.permitted(guarantee=1, delta=0, stock=life.made.plainRoot)
    with stage.refused("NotStock", life.id):
        publish(stage, life, head)


def test_stock_takes_no_rho(stage: Stage) -> None:
    life = stage.settled()
    with stage.refused("OutOfRange", "rhoMicro", 100, 0, 0):
        publish(stage, life, members=life.terms.members)


def test_a_stock_of_other_members_is_refused(stage: Stage) -> None:
    life = stage.settled(0, pooled(stage))
    mine = next(member for member in free(life.terms.members) if member.provider == stage.provider)
    own, other = free(stage.market.pool(stage.provider, salt=OTHER)), stage.market.others[5]
    wider = free(stage.market.pool(stage.provider, other, salt=NEW_KEY))
    for members in ([mine._replace(shareBps=10_000)], own, wider):
        head = stock_head(stage, life)
        with stage.refused("NotStock", life.id):
            publish(stage, life, head, members)


def test_shares_and_price_of_stock_are_new(stage: Stage) -> None:
    life = stage.settled(0, pooled(stage))
    shares = (9_000, 500, 500)
    members = [m._replace(shareBps=bps) for m, bps in zip(free(life.terms.members), shares, strict=True)]
    assert publish(stage, life, stock_head(stage, life, cost=1, margin=0, bond=0), members).value


def test_every_provider_consents_to_the_sale_of_stock(stage: Stage) -> None:
    life = stage.settled(0, pooled(stage))
    head, members = stock_head(stage, life), free(life.terms.members)
    first = next(member.provider for member in members if member.provider != stage.provider)
    with stage.refused("SignatureMissing", first):
        stage.rules.send(stage.provider, "publishStock", head, members, [], origin(stage, life))


def test_nobody_sells_the_stock_of_others(stage: Stage) -> None:
    life = stage.settled()
    head = stock_head(stage, life)._replace(lead=stage.stranger)
    with stage.refused("LeadIsNotAMember", stage.stranger):
        publish(stage, life, head)
    own = stage.market.register(salt=OTHER, sender=stage.stranger)
    members = [stage.market.member(own, provider=stage.stranger, rhoMicro=0)]
    with stage.refused("NotStock", life.id):
        publish(stage, life, head, members)


def test_stock_of_stock_is_stock(stage: Stage) -> None:
    terms = stocked(stage, stage.settled())
    again = stage.settled(1, terms)
    head = stock_head(stage, again)._replace(cost=1)
    assert publish(stage, again, head).value


def test_an_offer_of_stock_needs_an_origin_of_its_own_contract(stage: Stage) -> None:
    life = stage.settled()
    foreign = life.order._replace(offer=OTHER)
    with pytest.raises(Reverted, match="NotStock"):
        publish(stage, life, of=stage.market.origin(life.terms, foreign, life.made))
