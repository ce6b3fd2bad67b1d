"""What the arbiter sees: the grounds, and the result that the evidence opens."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from marketplace.buying.evidence import Evidence
from marketplace.buying.examination import grounds_of
from marketplace.certificate.folder import EVIDENCE
from marketplace.certificate.verification import verify_against
from marketplace.content.cid import Cid
from marketplace.content.store import put_bytes
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.keys.sealing import SealingPrivateKey
from marketplace.protocol import result
from marketplace.protocol.grounds import Grounds
from marketplace.protocol.identity import DeliveryHash, OrderId
from marketplace.sealing import WrongChunk
from tests.buying.contested import BECAUSE, Court, summon
from tests.buying.world import World


@pytest.fixture
def court(world: World) -> Court:
    return summon(world)


def test_the_arbiter_reads_what_the_buyer_reads(court: Court, tmp_path: Path) -> None:
    order = court.contested(tmp_path / "evidence.json")
    seen = court.examine(order, (tmp_path / "evidence.json").read_bytes(), tmp_path / "seen")
    own = court.world.client().open(order, tmp_path / "own")
    assert {name: path.read_bytes() for name, path in seen.items()} == {
        name: path.read_bytes() for name, path in own.items()
    }
    assert {path.name for path in (tmp_path / "seen").iterdir()} == {*result.NAMES, *EVIDENCE}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_was_opened_can_be_verified(court: Court, tmp_path: Path) -> None:
    order = court.contested(tmp_path / "evidence.json")
    court.examine(order, (tmp_path / "evidence.json").read_bytes(), tmp_path / "deep" / "seen")
    verification = verify_against(tmp_path / "deep" / "seen", court.world.client().account(), court.world.ledger.domain)
    assert verification.passed


def test_the_grounds_are_read_without_evidence(court: Court) -> None:
    order = court.contested()
    assert grounds_of(court.world.client().order(order), court.world.store).because == BECAUSE


def test_a_case_can_be_examined_after_it_ended(court: Court, tmp_path: Path) -> None:
    order = court.contested(tmp_path / "evidence.json")
    court.rule(order, 0, 0)
    assert court.examine(order, (tmp_path / "evidence.json").read_bytes(), tmp_path / "seen")


def test_a_wrong_chunk_is_found(court: Court, tmp_path: Path) -> None:
    order = court.contested(tmp_path / "evidence.json", wrong_chunk=4)
    with pytest.raises(WrongChunk) as caught:
        court.examine(order, (tmp_path / "evidence.json").read_bytes(), tmp_path / "seen")
    assert caught.value.index == 4
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith("seen")] == []


def test_an_order_that_was_never_contested_has_nothing_to_examine(court: Court, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="expected an order that was contested, this one is Revealed"):
        court.examine(court.revealed(), b"", tmp_path / "seen")


def test_evidence_that_the_grounds_do_not_name_is_refused(court: Court, tmp_path: Path) -> None:
    silent, order = court.contested(), court.contested(tmp_path / "evidence.json")
    data = (tmp_path / "evidence.json").read_bytes()
    with pytest.raises(Refused, match="these name none; rule by what is public"):
        court.examine(silent, data, tmp_path / "seen")
    for other in (data + b" ", data[:-1], b""):
        with pytest.raises(Corrupt, match="expected the evidence that the grounds name by its hash"):
            court.examine(order, other, tmp_path / "seen")
    assert not (tmp_path / "seen").exists()


def contested_with(court: Court, evidence: bytes, order: OrderId | None = None) -> OrderId:
    """An order whose buyer named any bytes as evidence."""
    order = order or court.revealed()
    view = court.world.client().order(order)
    grounds = Grounds(order, DeliveryHash(view.delivery_hash or b""), BECAUSE, sha256(evidence).digest())
    return contest(court, order, grounds.encode())


def contest(court: Court, order: OrderId, grounds: bytes) -> OrderId:
    world = court.world
    account = world.client().account()
    offer = account.offer_of(account.orders[order])
    world.ledger.approve(world.buyer, world.ledger.token, offer.head.contest_deposit_units)
    digest = put_bytes(world.store, grounds).digest
    world.ledger.contest(world.buyer, offer, account.orders[order].order, digest)
    return order


def test_evidence_about_another_order_is_refused(court: Court, tmp_path: Path) -> None:
    court.contested(tmp_path / "evidence.json")
    data = (tmp_path / "evidence.json").read_bytes()
    order = contested_with(court, data)
    with pytest.raises(Corrupt, match="expected evidence about this order, got some about another"):
        court.examine(order, data, tmp_path / "seen")


@pytest.mark.parametrize("part", ["chain", "contract", "key"])
def test_evidence_of_another_marketplace_or_with_another_key_is_refused(
    court: Court, tmp_path: Path, part: str
) -> None:
    order, domain = court.revealed(), court.world.ledger.domain
    key = SealingPrivateKey(b"another private key, 32 bytes...")
    evidence = Evidence(domain.chain_id, domain.contract, order, key)
    changed = {
        "chain": replace(evidence, chain_id=domain.chain_id + 1),
        "contract": replace(evidence, contract=court.arbiter.address),
        "key": evidence,
    }[part].encode()
    contested_with(court, changed, order)
    with pytest.raises(Corrupt, match="do not rely on it"):
        court.examine(order, changed, tmp_path / "seen")
    assert not (tmp_path / "seen").exists()


def test_evidence_that_is_none_is_refused(court: Court, tmp_path: Path) -> None:
    order = contested_with(court, b"rubbish")
    with pytest.raises(Corrupt, match="expected a document agora/evidence/1"):
        court.examine(order, b"rubbish", tmp_path / "seen")


def test_grounds_about_another_order_are_refused(court: Court, tmp_path: Path) -> None:
    order = court.revealed()
    view = court.world.client().order(order)
    assert view.delivery_hash
    for wrong in (
        Grounds(OrderId(bytes(32)), DeliveryHash(view.delivery_hash), BECAUSE),
        Grounds(order, DeliveryHash(bytes(32)), BECAUSE),
    ):
        contested = contest(court, court.revealed() if wrong.order == order else order, wrong.encode())
        with pytest.raises(Corrupt, match="expected grounds about this order's delivery"):
            court.examine(contested, b"", tmp_path / "seen")


def test_grounds_that_nobody_stored_are_unreachable(court: Court, tmp_path: Path) -> None:
    order = court.contested(tmp_path / "evidence.json")
    grounds = court.world.client().order(order).grounds
    assert grounds
    court.world.store.replace(Cid.raw(grounds), None)
    with pytest.raises(Unreachable):
        court.examine(order, (tmp_path / "evidence.json").read_bytes(), tmp_path / "seen")


def test_a_file_is_no_folder_for_a_result(court: Court, tmp_path: Path) -> None:
    order = court.contested(tmp_path / "evidence.json")
    (tmp_path / "seen").write_text("mine")
    with pytest.raises(Invalid, match="found a file at 'seen'"):
        court.examine(order, (tmp_path / "evidence.json").read_bytes(), tmp_path / "seen")
    assert (tmp_path / "seen").read_text() == "mine"
