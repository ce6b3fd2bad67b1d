"""The marketplace is told from everything else that may stand at an address."""

import pytest

from marketplace.errors import Invalid, Refused
from marketplace.ledger import artifact, sending
from marketplace.ledger.calls import Call
from marketplace.ledger.contract import Contract
from marketplace.ledger.deployment import check, deploy
from marketplace.ledger.signer import LocalSigner
from tests.ledger.world import World


def put(world: World, runtime: bytes) -> str:
    """A contract with exactly this code."""
    length = len(runtime).to_bytes(2)
    creation = b"\x61" + length + b"\x80\x60\x0a\x3d\x39\x3d\xf3" + runtime
    creation = creation[:5] + bytes([len(creation) - len(runtime)]) + creation[6:]
    prepared = sending.prepare(world.ledger.chain, world.stranger, Call(None, "constructor", creation))
    return sending.created(world.ledger.chain, sending.send(world.ledger.chain, prepared, 60))


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
        assert world.ledger.chain.code(copy) == code  # type: ignore[arg-type]
        with pytest.raises(Refused, match="another contract"):
            check(world.ledger.chain, copy)  # type: ignore[arg-type]

    def test_a_marketplace_with_one_other_byte_is_refused(self, world: World) -> None:
        code = bytearray(world.ledger.chain.code(world.ledger.domain.contract))
        code[-1] ^= 1
        with pytest.raises(Refused, match="another contract"):
            check(world.ledger.chain, put(world, bytes(code)))  # type: ignore[arg-type]

    def test_a_second_marketplace_is_as_good_as_the_first(self, world: World) -> None:
        deployed = deploy(world.ledger.chain, world.stranger)
        assert deployed.marketplace != world.ledger.domain.contract
        second = Contract(world.ledger.chain, check(world.ledger.chain, deployed.marketplace))
        assert second.balance_units(deployed.euro, world.stranger.address) == 0
        assert {receipt.function for receipt in deployed.receipts} == {"constructor"}

    def test_deploying_without_ether_is_refused(self, world: World) -> None:
        with pytest.raises(Refused):
            deploy(world.ledger.chain, LocalSigner.random())

    def test_the_code_fits_where_the_ledger_allows_it(self, world: World) -> None:
        code = world.ledger.chain.code(world.ledger.domain.contract)
        assert len(code) <= 24_576
        assert len(artifact.load().marketplace.creation) <= 49_152
