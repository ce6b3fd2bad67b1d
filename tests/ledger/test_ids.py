"""Every id computed here is the one that the contract computes."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.ledger import artifact, ids
from marketplace.ledger.abi import DELIVERY, HEAD, MEMBER, ORDER, Struct
from marketplace.ledger.addresses import address_of, checksummed, places_of
from marketplace.ledger.calls import answer, call
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.protocol.identity import Address, DatasetId, OfferId, OrderId
from marketplace.protocol.offer import Guarantee, Head, Kind, Member
from marketplace.protocol.order import Delivery, Order
from marketplace.protocol.permit import Grant
from scripts.benchmarks.typed import digest

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


def spelled(struct: Struct[Any], value: Any) -> dict[str, Any]:
    """A struct with the contract's names."""
    return dict(zip((field.name for field in struct.fields), struct.row(value), strict=True))


def domain_of(domain: ids.Domain) -> dict[str, Any]:
    """A domain as EIP-712 spells it."""
    where = {"chainId": domain.chain_id, "verifyingContract": domain.contract}
    return {"name": domain.name, "version": domain.version, **where}


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


@given(heads, member_lists, uints(64))
@settings(max_examples=25, deadline=None)
def test_a_consent_is_hashed_as_another_implementation_does(head: Head, members: list[Member], until_s: int) -> None:
    offer = {"head": spelled(HEAD, head), "members": [spelled(MEMBER, member) for member in members]}
    expected = digest(domain_of(LEDGER.domain), "Consent", {"offer": offer, "until": until_s})
    assert LEDGER.domain.digest(ids.consent_hash(head, members, until_s)) == expected


grants = st.builds(Grant, addresses, uints(8), uints(40), uints(40), words, st.lists(words, max_size=3).map(tuple))


@given(addresses, grants)
@settings(max_examples=25, deadline=None)
def test_the_id_of_a_permit_names_all_of_it(authority: Address, grant: Grant) -> None:
    own = ids.permit_id(LEDGER.domain, authority, grant)
    others = {
        ids.permit_id(LEDGER.domain, LEDGER.token, grant),
        ids.permit_id(ids.Domain(1, LEDGER.domain.contract), authority, grant),
        ids.permit_id(ids.Domain(LEDGER.domain.chain_id, LEDGER.token), authority, grant),
        ids.permit_id(LEDGER.domain, authority, replace(grant, subjects=(*grant.subjects, bytes(32)))),
        ids.permit_id(LEDGER.domain, authority, replace(grant, document=bytes(31) + b"\1")),
    }
    assert own not in others or authority == LEDGER.token or grant.document == bytes(31) + b"\1"


def test_the_id_of_a_permit_is_the_one_under_which_it_is_granted() -> None:
    authority = LEDGER.account()
    now_s = LEDGER.now_s()
    grant = Grant(authority.address, 7, now_s, now_s + 1, bytes(32), (bytes(32), b"\2" * 32))
    permit, _ = LEDGER.grant(authority, grant)
    assert LEDGER.permit(permit).authority == authority.address


def test_a_marketplace_and_its_contracts_stand_where_the_chain_put_them() -> None:
    places = places_of(LEDGER.domain.contract)
    for name in ("permits", "providers", "licences"):
        question = call(LEDGER.domain.contract, COMPILED, name)
        (told,) = answer(COMPILED, name, LEDGER.chain.call(question.to, question.data))
        assert checksummed(told) == getattr(places, name)


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
