"""Every id computed here is the one that the contract computes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.ledger import artifact, ids
from marketplace.ledger.abi import DELIVERY, HEAD, MEMBER, ORDER
from marketplace.ledger.addresses import address_of
from marketplace.ledger.calls import answer, call
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.protocol.identity import DatasetId, OfferId, OrderId
from marketplace.protocol.offer import Guarantee, Head, Kind, Member
from marketplace.protocol.order import Delivery, Order

LEDGER = EmbeddedLedger()
COMPILED = artifact.load().marketplace


def uints(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1) | st.sampled_from([0, 2**bits - 1])


words = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20).map(address_of)
heads = st.builds(
    Head,
    lead=addresses,
    kind=st.sampled_from(Kind),
    guarantee=st.sampled_from(Guarantee),
    token=addresses,
    cost_units=uints(128),
    margin_units=uints(128),
    delta_atto=uints(64),
    deliver_window_s=uints(32),
    accept_window_s=uints(32),
    reveal_window_s=uints(32),
    challenge_window_s=uints(32),
    rule_window_s=uints(32),
    licence_s=uints(64),
    compute_fee_bps=uints(16),
    bond_units=uints(128),
    contest_deposit_units=uints(128),
    max_open=uints(32),
    terms=words,
    valid_until_s=uints(64),
    purposes=uints(256),
    authority=addresses,
    arbiter=addresses,
    stock=words,
)
member_lists = st.lists(st.builds(Member, words.map(DatasetId), addresses, uints(16), uints(64)), max_size=4)
orders = st.builds(Order, words.map(OfferId), addresses, words, uints(256), uints(64), words)
deliveries = st.builds(Delivery, words, words, words, words, words, uints(32), uints(8))


def ask(name: str, *values: Any) -> bytes:
    question = call(LEDGER.domain.contract, COMPILED, name, *values)
    (value,) = answer(COMPILED, name, LEDGER.chain.call(question.to, question.data))
    assert isinstance(value, bytes)
    return value


@given(addresses, words)
@settings(max_examples=25, deadline=None)
def test_the_id_of_a_dataset(provider: Any, salt: bytes) -> None:
    assert ids.dataset_id(LEDGER.domain, provider, salt) == ask("datasetId", provider, salt)


@given(member_lists)
@settings(max_examples=25, deadline=None)
def test_the_hash_of_members(members: list[Member]) -> None:
    assert ids.members_hash(members) == ask("hashMembers", [MEMBER.row(member) for member in members])


@given(heads, member_lists)
@settings(max_examples=25, deadline=None)
def test_the_id_of_an_offer(head: Head, members: list[Member]) -> None:
    expected = ask("offerId", HEAD.row(head), ids.members_hash(members))
    assert ids.offer_id(LEDGER.domain, head, members) == expected
    assert ids.offer(LEDGER.domain, head, members).id == expected


@given(orders)
@settings(max_examples=25, deadline=None)
def test_the_id_of_an_order(order: Order) -> None:
    assert ids.order_id(LEDGER.domain, order) == ask("orderId", ORDER.row(order))


@given(words, deliveries)
@settings(max_examples=25, deadline=None)
def test_the_hash_of_a_delivery(order: bytes, delivery: Delivery) -> None:
    expected = ask("deliveryHash", order, DELIVERY.row(delivery))
    assert ids.delivery_hash(LEDGER.domain, OrderId(order), delivery) == expected


@given(heads)
@settings(max_examples=50, deadline=None)
def test_a_row_reads_back_as_the_value_it_came_from(head: Head) -> None:
    assert HEAD.value(HEAD.row(head)) == head


def test_the_domain_is_the_one_that_the_contract_tells() -> None:
    question = call(LEDGER.domain.contract, COMPILED, "eip712Domain")
    told = answer(COMPILED, "eip712Domain", LEDGER.chain.call(question.to, question.data))
    assert told[1:3] == (ids.NAME, ids.VERSION)
    assert told[3:5] == (LEDGER.domain.chain_id, LEDGER.domain.contract.lower())


def test_ids_differ_between_chains_and_between_contracts() -> None:
    here = LEDGER.domain
    elsewhere = (ids.Domain(1, here.contract), ids.Domain(here.chain_id, LEDGER.token))
    salt = bytes(32)
    names = {ids.dataset_id(domain, LEDGER.token, salt) for domain in (here, *elsewhere)}
    assert len(names) == 3
