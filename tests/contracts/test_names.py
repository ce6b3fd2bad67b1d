"""What things are called: EIP-712 digests under one domain, the same off the ledger and on it."""

from typing import Any

import eth_abi.abi as abi
import pytest
from eth_utils.crypto import keccak
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.benchmarks.evm import Reverted
from scripts.benchmarks.life import Delivery, Life, live
from scripts.benchmarks.market import Head, Market, Member, Order
from scripts.benchmarks.typed import FIELDS, digest, struct_hash

from .conftest import Stage


def values(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any value of a struct."""
    return st.fixed_dictionaries({field["name"]: _value(field) for field in FIELDS[name]})


def _value(field: dict[str, str]) -> st.SearchStrategy[Any]:
    kind = field["type"]
    if field["name"] == "kind":
        return st.integers(0, 2)
    if field["name"] in ("guarantee", "unit"):
        return st.integers(0, 1)
    if kind == "address":
        return st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
    if kind == "bytes32":
        return st.binary(min_size=32, max_size=32)
    return st.integers(0, 2 ** int(kind.removeprefix("uint")) - 1)


ANY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ANY
@given(head=values("Head"), members=st.lists(values("Member"), max_size=16))
def test_an_offers_id_is_the_digest_of_its_typed_data(stage: Stage, head: dict[str, Any], members: list[Any]) -> None:
    rows = [Member(**member) for member in members]
    of_members = keccak(abi.encode(["(bytes32,address,uint16,uint64)[]"], [rows]))
    expected = digest(stage.market.domain, "OfferId", {"head": struct_hash("Head", head), "members": of_members})
    assert stage.market.terms(Head(**head), rows).offer == expected


@ANY
@given(order=values("Order"))
def test_an_orders_id_is_the_digest_of_its_typed_data(stage: Stage, order: dict[str, Any]) -> None:
    assert stage.rules.ask("orderId", Order(**order)) == digest(stage.market.domain, "Order", order)


@ANY
@given(delivery=values("Delivery"))
def test_a_deliverys_hash_is_the_digest_of_its_typed_data(stage: Stage, delivery: dict[str, Any]) -> None:
    parts = {name: value for name, value in delivery.items() if name != "order"}
    found = stage.rules.ask("deliveryHash", delivery["order"], Delivery(**parts))
    assert found == digest(stage.market.domain, "Delivery", delivery)


def test_the_contract_says_its_domain(stage: Stage) -> None:
    fields, name, version, chain, contract, salt, extensions = stage.rules.ask("eip712Domain")
    assert (fields, name, version) == (b"\x0f", "Agora Health", "1")
    assert (chain, contract) == (stage.market.evm.chain_id, stage.rules.address)
    assert (salt, extensions) == (bytes(32), ())


def test_another_contract_has_other_names_for_everything(stage: Stage) -> None:
    twin = stage.market.evm.deploy(stage.rules.contract)
    life = stage.order()
    assert twin.ask("datasetId", stage.provider, bytes(32)) != stage.dataset
    assert twin.ask("offerId", stage.head, stage.terms.members_hash) != stage.terms.offer
    assert twin.ask("orderId", life.order) != life.id
    assert twin.ask("deliveryHash", life.id, life.made) != life.digest


def test_an_acceptance_cannot_be_replayed_on_another_contract(stage: Stage) -> None:
    twin = Market(stage.market.evm)
    dataset = twin.register()
    twin.stake(stage.bond)
    life = live(twin, twin.publish(twin.head(), [twin.member(dataset)]))
    life.place()
    life.deliver()
    first = Life(stage.market, stage.terms, life.order)
    with stage.refused("WrongSignature", stage.buyer):
        life.accept_for(first.sign_acceptance(stage.buyer))


@pytest.mark.parametrize("word", [0, 1, 2, 4, 7, 22])
def test_bits_that_no_field_has_make_the_head_of_no_offer(stage: Stage, word: int) -> None:
    evm, rules = stage.market.evm, stage.rules

    def dirty(function: str, *arguments: Any) -> bytes:
        data = bytearray(rules.contract.call(function, arguments))
        data[4 + 32 * word] |= 0x80
        return bytes(data)

    before = evm.snapshot()
    published, _ = evm.execute(
        stage.provider, rules.address, dirty("publish", stage.head, stage.terms.members, []), keep=True
    )
    assert published.is_error
    placing = dirty("place", stage.head, stage.terms.members, stage.order().order)
    placed, _ = evm.execute(stage.buyer, rules.address, placing, keep=True)
    refusal = rules.contract.refusal(placed)
    assert isinstance(refusal, Reverted)
    assert refusal.name == "WrongOffer"
    assert evm.snapshot() == before
