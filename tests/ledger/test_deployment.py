"""The marketplace is told from everything else that may stand at an address."""

from collections.abc import Sequence
from dataclasses import astuple

import pytest
from web3.utils import get_create_address

from marketplace.errors import Invalid, Refused
from marketplace.ledger import artifact, sending
from marketplace.ledger.addresses import checksummed, places_of
from marketplace.ledger.calls import Call
from marketplace.ledger.contract import Contract
from marketplace.ledger.deployment import check, deploy
from marketplace.ledger.ids import Domain
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import Address
from tests.ledger.world import World

CHILDREN = ("permits", "providers", "licences", "checks")


def put(world: World, runtime: bytes, children: Sequence[bytes] = ()) -> Address:
    """A contract with exactly this code, whose constructor first made others with exactly those codes."""
    chain = world.ledger.chain
    prepared = sending.prepare(chain, world.stranger, Call(None, "constructor", creation(runtime, children)))
    return sending.created(chain, sending.send(chain, prepared, 60))


def creation(runtime: bytes, children: Sequence[bytes] = ()) -> bytes:
    """Code that makes the children by CREATE, one after the other, and leaves `runtime`."""
    parts = [*(creation(child) for child in children), runtime]
    start, offset = b"", 18 * len(children) + 15
    for number, part in enumerate(parts):
        length = b"\x61" + len(part).to_bytes(2)
        start += length + b"\x61" + offset.to_bytes(2) + b"\x60\x00\x39" + length
        start += b"\x60\x00\xf3" if number == len(children) else b"\x60\x00\x60\x00\xf0\x50"
        offset += len(part)
    return start + b"".join(parts)


def codes_for(world: World, marketplace: Address) -> list[bytes]:
    """The codes of a marketplace and its children, saying that they stand at another address."""
    chain, genuine = world.ledger.chain, world.ledger.domain.contract

    def names(of: Address) -> list[bytes]:
        places = [bytes.fromhex(place[2:]) for place in astuple(places_of(of))]
        return [*places, Domain(chain.chain_id, of).separator]

    codes = []
    for place in astuple(places_of(genuine)):
        code = chain.code(place)
        for old, new in zip(names(genuine), names(marketplace), strict=True):
            code = code.replace(old, new)
        codes.append(code)
    return codes


def next_address(world: World) -> Address:
    """Where the stranger's next contract will stand."""
    who = world.stranger.address
    return checksummed(get_create_address(who, world.ledger.chain.nonce(who)))  # type: ignore[arg-type]


class TestWhatStandsAtAnAddress:
    def test_the_marketplace_is_recognised_whatever_the_case(self, world: World) -> None:
        contract = world.ledger.domain.contract
        assert check(world.ledger.chain, contract) == contract
        assert check(world.ledger.chain, contract.lower()) == contract  # type: ignore[arg-type]

    def test_an_address_without_code_is_refused(self, world: World) -> None:
        with pytest.raises(Refused, match="without code"):
            check(world.ledger.chain, world.stranger.address)

    def test_another_contract_is_refused(self, world: World) -> None:
        with pytest.raises(Refused, match="another contract"):
            check(world.ledger.chain, world.token)

    def test_what_is_no_address_is_invalid(self, world: World) -> None:
        with pytest.raises(Invalid):
            check(world.ledger.chain, "0x12")  # type: ignore[arg-type]

    def test_a_copy_of_the_code_elsewhere_is_refused_because_it_names_another_contract(self, world: World) -> None:
        code = world.ledger.chain.code(world.ledger.domain.contract)
        copy = put(world, code)
        assert world.ledger.chain.code(copy) == code
        with pytest.raises(Refused, match="another contract"):
            check(world.ledger.chain, copy)

    def test_a_marketplace_with_one_other_byte_is_refused(self, world: World) -> None:
        code = bytearray(world.ledger.chain.code(world.ledger.domain.contract))
        code[-1] ^= 1
        with pytest.raises(Refused, match="another contract"):
            check(world.ledger.chain, put(world, bytes(code)))

    def test_a_second_marketplace_is_as_good_as_the_first(self, world: World) -> None:
        deployed = deploy(world.ledger.chain, world.stranger)
        assert deployed.marketplace != world.ledger.domain.contract
        second = Contract(world.ledger.chain, check(world.ledger.chain, deployed.marketplace))
        assert second.balance_units(deployed.euro, world.stranger.address) == 0
        assert {receipt.function for receipt in deployed.receipts} == {"constructor"}

    def test_a_marketplace_that_another_constructor_made_alike_is_as_good(self, world: World) -> None:
        runtime, *children = codes_for(world, next_address(world))
        made = put(world, runtime, children)
        assert check(world.ledger.chain, made) == made

    @pytest.mark.parametrize("child", range(4), ids=CHILDREN)
    def test_a_marketplace_beside_one_contract_with_another_byte_is_refused(self, world: World, child: int) -> None:
        runtime, *children = codes_for(world, next_address(world))
        children[child] = children[child][:-1] + bytes([children[child][-1] ^ 1])
        made = put(world, runtime, children)
        assert world.ledger.chain.code(made) == runtime
        with pytest.raises(Refused, match="another contract"):
            check(world.ledger.chain, made)

    @pytest.mark.parametrize("child", (2, 3), ids=CHILDREN[2:])
    def test_a_marketplace_beside_a_contract_of_another_is_refused(self, world: World, child: int) -> None:
        runtime, *children = codes_for(world, next_address(world))
        children[child] = codes_for(world, world.ledger.domain.contract)[child + 1]
        with pytest.raises(Refused, match="another contract"):
            check(world.ledger.chain, put(world, runtime, children))

    def test_a_marketplace_that_takes_one_of_its_contracts_for_another_is_refused(self, world: World) -> None:
        own = next_address(world)
        runtime, *children = codes_for(world, own)
        permits, licences = (bytes.fromhex(place[2:]) for place in (places_of(own).permits, places_of(own).licences))
        with pytest.raises(Refused, match="another contract"):
            check(world.ledger.chain, put(world, runtime.replace(permits, licences), children))

    def test_a_marketplace_without_its_contracts_is_refused(self, world: World) -> None:
        (runtime, *_) = codes_for(world, next_address(world))
        with pytest.raises(Refused, match="another contract"):
            check(world.ledger.chain, put(world, runtime))

    def test_one_transaction_makes_the_marketplace_and_its_contracts(self, world: World) -> None:
        deployed = deploy(world.ledger.chain, world.stranger)
        assert len({receipt.transaction for receipt in deployed.receipts}) == 2
        assert all(world.ledger.chain.code(place) for place in astuple(places_of(deployed.marketplace)))

    def test_deploying_without_ether_is_refused(self, world: World) -> None:
        with pytest.raises(Refused):
            deploy(world.ledger.chain, LocalSigner.random())

    def test_the_code_fits_where_the_ledger_allows_it(self, world: World) -> None:
        code = world.ledger.chain.code(world.ledger.domain.contract)
        assert len(code) <= 24_576
        assert len(artifact.load().marketplace.creation) <= 49_152
