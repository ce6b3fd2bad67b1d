"""Contesting: the grounds are public, the evidence is the arbiter's alone and opens this one order."""

import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from marketplace.buying.evidence import Evidence
from marketplace.certificate.context import sealing_context
from marketplace.content.cid import Cid
from marketplace.content.store import read_bytes
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.keys.sealing import SealingPrivateKey, order_key
from marketplace.protocol.account import OrderView
from marketplace.protocol.grounds import Grounds
from marketplace.protocol.states import OrderState, Reason
from marketplace.sealing import Commitment, unseal
from tests.buying.contested import BECAUSE, DEPOSIT_UNITS, Court, summon
from tests.buying.provider import BOND_UNITS, HOUR_S, PRICE_UNITS
from tests.buying.world import PURSE_UNITS, SEED, World


@pytest.fixture
def court(world: World) -> Court:
    return summon(world)


def test_contesting_pays_the_deposit_stores_the_grounds_and_suspends_the_licence(court: Court) -> None:
    order, client = court.revealed(), court.world.client()
    assert client.is_licensed(order)
    receipts = client.contest(order, BECAUSE)
    assert [receipt.function for receipt in receipts] == ["approve", "contest"]
    view = client.order(order)
    assert view.state is OrderState.CONTESTED
    assert view.grounds
    grounds = Grounds.decode(read_bytes(court.world.store, Cid.raw(view.grounds), 10_000))
    assert grounds == Grounds(order, view.delivery_hash, BECAUSE)  # type: ignore[arg-type]
    assert court.world.purse_units() == PURSE_UNITS - PRICE_UNITS - DEPOSIT_UNITS
    assert not client.is_licensed(order)


def test_the_evidence_is_its_owners_alone_and_named_by_its_hash(court: Court, tmp_path: Path) -> None:
    file = tmp_path / "evidence.json"
    order = court.contested(file)
    view = court.world.client().order(order)
    assert view.grounds
    grounds = Grounds.decode(read_bytes(court.world.store, Cid.raw(view.grounds), 10_000))
    assert grounds.evidence == sha256(file.read_bytes()).digest()
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_evidence_is_never_in_the_store(court: Court, tmp_path: Path) -> None:
    file = tmp_path / "evidence.json"
    court.contested(file)
    key = bytes(Evidence.decode(file.read_bytes()).key)
    blocks = list(court.world.store._blocks.values())
    assert len(blocks) > 5
    assert not [block for block in blocks if key in block or key.hex().encode() in block]


def test_the_evidence_discloses_neither_the_seed_nor_another_orders_key(court: Court, tmp_path: Path) -> None:
    file, other = tmp_path / "evidence.json", court.revealed()
    court.contested(file)
    specification = (court.world.wallet / other.hex() / "specification.json").read_bytes()
    nonce = bytes.fromhex(json.loads(specification)["nonce"])
    for secret in (SEED, bytes(order_key(SEED, nonce))):
        assert secret.hex().encode() not in file.read_bytes()


def opened(court: Court, view: OrderView, key: SealingPrivateKey) -> bytes:
    """What the sealed object of an order opens to for whoever has `key`."""
    assert view.delivery
    cid = Cid(view.delivery.object, view.delivery.object_codec)
    expected = Commitment(
        view.delivery.commitment_root, view.delivery.plain_root, view.delivery.count, view.delivery.key_hash
    )
    inner, context = io.BytesIO(), sealing_context(view.id, view.delivery.manifest)
    sealed = io.BytesIO(read_bytes(court.world.store, cid, 2**24))
    unseal(sealed, inner, reader=key, context=context, expected=expected)
    return inner.getvalue()


def test_the_evidence_opens_this_order_and_no_other_of_the_same_buyer(court: Court, tmp_path: Path) -> None:
    file, before = tmp_path / "evidence.json", court.revealed()
    order, after = court.contested(file), court.revealed()
    client, key = court.world.client(), Evidence.decode(file.read_bytes()).key
    assert opened(court, client.order(order), key)
    for other in (before, after):
        with pytest.raises(Invalid, match="sealed for another key"):
            opened(court, client.order(other), key)


# -------------------------------------------------------------------------------------------------- what is refused


def assert_nothing_happened(court: Court, blocks: int, purse_units: int, evidence: Path) -> None:
    assert court.world.ledger.head_block() == blocks
    assert court.world.purse_units() == purse_units
    assert not evidence.exists()


@pytest.mark.parametrize("because", ["", "  ", "a" * 4_001, "red\x1b[31m", "a\tb"])
def test_grounds_that_are_no_text_are_invalid_and_nothing_happens(court: Court, tmp_path: Path, because: str) -> None:
    order, evidence = court.revealed(), tmp_path / "evidence.json"
    blocks, purse_units = court.world.ledger.head_block(), court.world.purse_units()
    with pytest.raises(Invalid, match="in grounds"):
        court.world.client().contest(order, because, evidence)
    assert_nothing_happened(court, blocks, purse_units, evidence)


def test_a_purse_too_small_for_the_deposit_is_refused_and_nothing_happens(court: Court, tmp_path: Path) -> None:
    world, order, evidence = court.world, court.revealed(), tmp_path / "evidence.json"
    court.world.ledger.approve(world.buyer, world.ledger.token, world.purse_units())
    world.ledger.stake(world.buyer, world.ledger.token, world.purse_units() - DEPOSIT_UNITS + 1)
    blocks = world.ledger.head_block()
    with pytest.raises(Refused, match=r"pays the deposit of EUR 10.00 \(test\)"):
        world.client().contest(order, BECAUSE, evidence)
    assert_nothing_happened(court, blocks, DEPOSIT_UNITS - 1, evidence)


@pytest.mark.parametrize("reached", ["placed", "delivered", "accepted"])
def test_contesting_before_the_reveal_is_refused(court: Court, reached: str) -> None:
    world = court.world
    order = {"placed": world.place, "delivered": world.delivered, "accepted": world.accepted}[reached]()
    with pytest.raises(Refused, match="expected an order that is Revealed"):
        world.client().contest(order, BECAUSE)


def test_contesting_twice_is_refused(court: Court) -> None:
    order = court.contested()
    with pytest.raises(Refused, match="it is Contested; only then"):
        court.world.client().contest(order, BECAUSE)


def test_contesting_too_late_is_refused(court: Court) -> None:
    order = court.revealed()
    court.world.ledger.advance(HOUR_S + 60)
    with pytest.raises(Refused, match="the deadline has passed"):
        court.world.client().contest(order, BECAUSE)


def test_without_an_arbiter_nothing_is_contested(world: World) -> None:
    with pytest.raises(Refused, match="this one names none; only a wrong byte can be proven"):
        world.client().contest(world.revealed(), BECAUSE)


def test_nobody_contests_for_another(court: Court) -> None:
    order, stranger = court.revealed(), court.world.ledger.account(PURSE_UNITS)
    with pytest.raises(Refused, match="expected the order's buyer"):
        court.world.client(signer=stranger).contest(order, BECAUSE)


def test_evidence_of_another_wallets_seed_is_none(court: Court, tmp_path: Path) -> None:
    order = court.revealed()
    with pytest.raises(Invalid, match="has another"):
        court.world.client(seed=bytes(32)).contest(order, BECAUSE, tmp_path / "evidence.json")
    assert not (tmp_path / "evidence.json").exists()


def test_no_file_is_overwritten_but_the_same_evidence_is_left_where_it_is(court: Court, tmp_path: Path) -> None:
    file, order = tmp_path / "evidence.json", court.revealed()
    file.write_text("something else")
    with pytest.raises(Refused, match="found one; choose another place for the evidence"):
        court.world.client().contest(order, BECAUSE, file)
    assert file.read_text() == "something else"
    other = tmp_path / "other.json"
    court.world.client().contest(order, BECAUSE, other)
    written, evidence = other.stat(), Evidence.decode(other.read_bytes())
    evidence.write(other)
    assert other.stat() == written


def test_a_store_that_takes_nothing_stops_it_before_anything_is_sent(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise Unreachable("expected room on the disk, got none; free some and try again")

    order, blocks = court.revealed(), court.world.ledger.head_block()
    monkeypatch.setattr(court.world.store, "put_block", fails)
    with pytest.raises(Unreachable):
        court.world.client().contest(order, BECAUSE)
    assert court.world.ledger.head_block() == blocks


@pytest.mark.parametrize(
    "changes",
    [
        {"chain_id": "1"},
        {"contract": "0x1"},
        {"order": "ab"},
        {"private_key": "ab" * 31},
        {"private_key": "AB" * 32},
        {"private_key": None},
        {"more": 1},
        {"format": "agora/evidence/2"},
    ],
    ids=repr,
)
def test_a_file_that_is_no_evidence_is_corrupt_and_not_shown(
    court: Court, tmp_path: Path, changes: dict[str, Any]
) -> None:
    file = tmp_path / "evidence.json"
    court.contested(file)
    document = json.loads(file.read_bytes())
    changed = json.dumps(document | changes, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(Corrupt, match="expected") as caught:
        Evidence.decode(changed)
    assert document["private_key"] not in str(caught.value)


def test_evidence_shows_no_key_when_it_is_printed(court: Court, tmp_path: Path) -> None:
    court.contested(tmp_path / "evidence.json")
    evidence = Evidence.decode((tmp_path / "evidence.json").read_bytes())
    assert bytes(evidence.key).hex() not in repr(evidence)


# ------------------------------------------------------------------------------------------------- how a contest ends


@pytest.mark.parametrize(("price_bps", "bond_bps"), [(10_000, 10_000), (0, 0), (2_500, 9_999), (0, 10_000), (1, 0)])
def test_the_arbiter_divides_price_and_bond_and_earns_the_deposit(court: Court, price_bps: int, bond_bps: int) -> None:
    order = court.contested()
    before = {who: court.units(signer) for who, signer in (("buyer", court.world.buyer), ("arbiter", court.arbiter))}
    receipts = court.rule(order, price_bps, bond_bps)
    assert [receipt.function for receipt in receipts] == ["rule", "withdrawCredit"]
    view = court.world.client().order(order)
    assert (view.state, view.reason) == (OrderState.SETTLED if price_bps else OrderState.REFUNDED, Reason.RULED)
    kept = PRICE_UNITS * price_bps // 10_000 + BOND_UNITS * bond_bps // 10_000
    assert court.units(court.world.buyer) - before["buyer"] == PRICE_UNITS + BOND_UNITS - kept
    assert court.units(court.arbiter) - before["arbiter"] == DEPOSIT_UNITS
    assert court.world.client().is_licensed(order) is (price_bps > 0)


def test_nobody_else_rules(court: Court) -> None:
    order = court.contested()
    for other in (court.world.buyer, court.world.provider.signer, court.world.ledger.account()):
        with pytest.raises(Refused, match="expected the"):
            court.rule(order, 0, 0, by=other)


def test_a_ruling_comes_in_time_once_and_only_where_an_order_is_contested(court: Court) -> None:
    revealed, order, late = court.revealed(), court.contested(), court.contested()
    with pytest.raises(Refused, match="to be Contested, it is Revealed"):
        court.rule(revealed, 0, 0)
    court.rule(order, 0, 0)
    with pytest.raises(Refused, match="it is Refunded"):
        court.rule(order, 0, 0)
    court.world.ledger.advance(2 * HOUR_S + 60)
    with pytest.raises(Refused, match="the deadline has passed"):
        court.rule(late, 0, 0)


def test_after_silence_anybody_settles_and_the_deposit_goes_back(court: Court) -> None:
    order, stranger = court.contested(), court.world.ledger.account()
    with pytest.raises(Refused, match="wait until then"):
        court.world.client(signer=stranger).settle(order)
    court.world.ledger.advance(2 * HOUR_S + 60)
    court.world.client(signer=stranger).settle(order)
    client = court.world.client()
    assert (client.order(order).state, client.order(order).reason) == (OrderState.SETTLED, Reason.NOT_RULED)
    assert client.withdraw(order)
    assert court.world.purse_units() == PURSE_UNITS - PRICE_UNITS
    assert client.is_licensed(order)


def test_a_wrong_byte_is_still_proven_while_the_order_is_contested(court: Court) -> None:
    order, client = court.contested(wrong_chunk=3), court.world.client()
    client.complain(order)
    assert client.order(order).reason is Reason.WRONG_BYTE
    client.withdraw(order)
    assert court.world.purse_units() == PURSE_UNITS + BOND_UNITS


def test_a_contested_order_is_not_refunded(court: Court) -> None:
    with pytest.raises(Refused, match="this one is Contested; wait for its arbiter"):
        court.world.client().refund(court.contested())


def test_a_contested_delivery_stays_accepted(court: Court) -> None:
    assert court.world.client().accept(court.contested()) is None


def test_a_stranger_withdraws_nothing_of_its_own_by_ending_anothers_order(court: Court) -> None:
    world, order = court.world, court.contested()
    stranger = world.ledger.account(BOND_UNITS)
    world.ledger.approve(stranger, world.ledger.token, BOND_UNITS)
    world.ledger.stake(stranger, world.ledger.token, BOND_UNITS)
    assert world.client(signer=stranger).withdraw(order) is None
    assert world.ledger.credit_units(world.ledger.token, stranger.address) == BOND_UNITS
