"""`agora-node stake`, `epoch`, `anchor`, `status` as their user meets them."""

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from marketplace.content.cid import Cid
from marketplace.content.directory import DirectoryStore
from marketplace.keys.secretbox import SecretBox
from marketplace.ledger.follower import Follower
from marketplace.protocol.account import Account
from marketplace.protocol.epoch import EpochReason
from marketplace.protocol.identity import DatasetId
from node.accesslog import DayLog
from node.commands import standing
from node.commands.moment import day_text
from node.home import VAULT
from node.vault.access import Access, day_of
from node.vault.vault import Vault
from tests.node.hospital import Hospital, assert_refused, document, listing, offering
from tests.node.workplace import LONGEST_S, STORAGE_KEY

EURO = 1_000_000


def account(hospital: Hospital) -> Account:
    return Follower(hospital.ledger).catch_up()


def listed(hospital: Hospital) -> Hospital:
    """The hospital with another dataset, on which there is no offer."""
    added = document(hospital.type("dataset", "add", *listing(hospital), "--total-rho", "100000", "--json"))
    return replace(hospital, dataset=str(added["dataset"]))


# --------------------------------------------------------------------------------------------------------------- stake


def test_staking_adds_to_what_is_free_for_bonds(hospital: Hospital) -> None:
    before = hospital.ledger.credit_units(hospital.world.token, hospital.signer.address)
    staked = document(hospital.type("stake", "12.50", "--json"))
    assert staked["free_units"] == before + 12_500_000
    assert [part["step"] for part in staked["transactions"]] == ["approve", "stake"]  # type: ignore[attr-defined]
    said = hospital.type("stake", "1", "--token", hospital.world.token)
    assert "Staked EUR 1.00 (test)" in said.out
    assert hospital.ledger.credit_units(hospital.world.token, hospital.signer.address) == before + 13_500_000


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("0",), 2, "above 0"),
        (("much",), 2, "expected an amount"),
        (("1", "--token", "0x12"), 2, "40 hexadecimal digits"),
        (("99999999999",), 3, "covers"),
    ],
)
def test_what_cannot_be_staked_is_refused(
    hospital: Hospital, arguments: tuple[str, ...], code: int, words: str
) -> None:
    before = hospital.ledger.head_block()
    assert_refused(hospital.type("stake", *arguments), code, words)
    assert hospital.ledger.head_block() == before


# --------------------------------------------------------------------------------------------------------------- epoch


def test_an_epoch_raises_the_total_of_ledger_and_vault_and_says_why(hospital: Hospital, tmp_path: Path) -> None:
    there = listed(hospital)
    (tmp_path / "why.txt").write_text("Records of two more years.\n")
    opening = ("epoch", there.dataset, "--total", "200000", "--allowance", "3", "--reason", str(tmp_path / "why.txt"))
    opened = document(hospital.type(*opening, "--json"))
    assert (opened["total_micro"], opened["allowance"]) == (200_000, 3)
    view = account(hospital).datasets[DatasetId(bytes.fromhex(there.dataset))]
    assert (view.total_micro, view.exact_left, len(view.epochs)) == (200_000, 3, 2)
    permits = ("--exact", "--authority", "0x" + "11" * 20, "--purpose", "4")
    offered = there.type("offer", "publish", *offering(there), *permits)
    assert offered.code == 0 and "exact, no differential privacy" in offered.out
    store = DirectoryStore(Path(str(hospital.connection.store)))
    reason = EpochReason.decode(b"".join(store.read(Cid.raw(view.epochs[-1].reason))))
    assert reason == EpochReason(view.id, 200_000, 3, "Records of two more years.")
    status = hospital.type("status")
    assert f"{there.dataset}: 0 of 200,000 micro-rho used, 3 exact orders left" in status.out
    assert "warning" not in status.err
    assert "0 exact orders in this epoch" in hospital.type(*opening[:4], "--reason", opening[-1]).out


@pytest.mark.parametrize(
    ("total", "words", "code", "named"),
    [
        ("99999", "fine", 2, "between 100000"),
        ("200000", "  \n", 2, "in words"),
        ("200000", "a\u202eb", 2, "printable"),
        ("200000", "x" * 10_001, 2, "characters"),
    ],
)
def test_an_epoch_that_cannot_be_changes_nothing(
    hospital: Hospital, tmp_path: Path, total: str, words: str, code: int, named: str
) -> None:
    (tmp_path / "why.txt").write_text(words)
    before = hospital.ledger.head_block()
    given = ("epoch", hospital.dataset, "--total", total, "--reason", str(tmp_path / "why.txt"))
    assert_refused(hospital.type(*given), code, named)
    assert hospital.ledger.head_block() == before


def test_an_epoch_without_a_reason_or_a_dataset_is_refused(hospital: Hospital, tmp_path: Path) -> None:
    (tmp_path / "why.bin").write_bytes(b"\xff\xfe")
    why = ("--total", "200000", "--reason", str(tmp_path / "why.bin"))
    assert_refused(hospital.type("epoch", hospital.dataset, *why), 2, "UTF-8")
    assert_refused(hospital.type("epoch", hospital.dataset, *why[:3], "/nowhere"), 2, "found none")
    (tmp_path / "why.bin").write_text("because")
    assert_refused(hospital.type("epoch", "00" * 32, *why), 2, "registered dataset")
    assert_refused(hospital.type("epoch", "xyz", *why), 2, "64 hexadecimal digits")


# -------------------------------------------------------------------------------------------------------------- anchor


def test_a_day_that_is_over_is_anchored_and_its_log_opens_the_root(hospital: Hospital, tmp_path: Path) -> None:
    began_s = max(hospital.ledger.now_s(), int(time.time()))
    anchored = document(hospital.type("anchor", "--out", str(tmp_path / "log.json"), "--json"))
    (anchor,) = account(hospital).providers[hospital.signer.address].anchors
    assert (anchored["day"], anchored["root"]) == (day_text(anchor.day), anchor.root.hex())
    log = DayLog.decode((tmp_path / "log.json").read_bytes())
    assert log.root() == anchor.root
    assert (tmp_path / "log.json").stat().st_mode & 0o777 == 0o600
    assert anchor.day + 1 in (day_of(began_s), day_of(hospital.ledger.now_s()))
    again = hospital.type("anchor", "--day", day_text(anchor.day))
    assert again.out == f"Anchored {day_text(anchor.day)}: {anchor.root.hex()}\n"
    assert f"Provider only: {len(log.day.entries)} entries" in again.err


def test_a_day_that_is_not_over_is_not_anchored(hospital: Hospital) -> None:
    before = hospital.ledger.head_block()
    soon_s = max(hospital.ledger.now_s(), int(time.time())) + LONGEST_S
    for day in (day_text(day_of(int(soon_s))), "9999-12-31"):
        assert_refused(hospital.type("anchor", "--day", day), 2, "a day that is over")
    for day in ("yesterday", "1969-12-31", "2026-13-01"):
        assert_refused(hospital.type("anchor", "--day", day), 2, "a day such as")
    assert hospital.ledger.head_block() == before


def test_taking_records_in_is_in_the_log(hospital: Hospital) -> None:
    with Vault(hospital.home / VAULT, SecretBox(STORAGE_KEY)) as vault:
        (held, *_) = vault.snapshots()
        entries = vault.access.connection.execute("SELECT access, dataset FROM access").fetchall()
    assert (Access.TAKEN_IN.value, held.dataset) in entries


# -------------------------------------------------------------------------------------------------------------- replay


def test_what_cannot_be_replayed_is_refused(hospital: Hospital, tmp_path: Path) -> None:
    assert_refused(hospital.type("replay", "00" * 32), 2, "an order of this node's own offers")
    assert_refused(hospital.type("replay", "00" * 32, "--result", str(tmp_path / "nowhere")), 2, "'nowhere'")
    assert_refused(hospital.type("replay", "xyz"), 2, "64 hexadecimal digits")


# ----------------------------------------------------------------------------------------- offers and where they stand

ARBITER, AUTHORITY = "0x" + "11" * 20, "0x" + "22" * 20


def test_an_offer_can_name_an_arbiter_and_an_authority(hospital: Hospital) -> None:
    arbitrated = ("--arbiter", ARBITER, "--rule-hours", "48", "--deposit", "2.50")
    permitted = ("--authority", AUTHORITY, "--purpose", "research", "--purpose", "0")
    given = (*offering(hospital), "--epsilon", "0.5", *arbitrated, *permitted)
    published = document(hospital.type("offer", "publish", *given, "--json"))
    view = next(each for each in account(hospital).offers.values() if each.offer.id.hex() == published["offer"])
    head = view.offer.head
    assert (head.arbiter, head.rule_window_s, head.contest_deposit_units) == (ARBITER, 48 * 3_600, 2_500_000)
    assert (head.authority, head.purposes) == (AUTHORITY, 0b10001)
    plain = document(
        hospital.type("offer", "publish", *offering(hospital), "--epsilon", "0.5", "--arbiter", ARBITER, "--json")
    )
    view = next(each for each in account(hospital).offers.values() if each.offer.id.hex() == plain["offer"])
    assert view.offer.head.rule_window_s == 168 * 3_600


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (("--rule-hours", "48"), 2, "no arbiter"),
        (("--deposit", "5"), 2, "no arbiter"),
        (("--arbiter", "0x12"), 2, "40 hexadecimal digits"),
        (("--arbiter", ARBITER, "--rule-hours", "0"), 2, "expected"),
        (("--arbiter", ARBITER, "--deposit", "much"), 2, "expected an amount"),
        (("--authority", AUTHORITY), 2, "give both"),
        (("--purpose", "4"), 2, "give both"),
        (("--authority", AUTHORITY, "--purpose", "256"), 2, "purpose's code"),
        (("--authority", AUTHORITY, "--purpose", "fun"), 2, "purpose's code"),
    ],
)
def test_an_arbiter_or_authority_that_cannot_be_is_refused_before_money_moves(
    hospital: Hospital, changes: tuple[str, ...], code: int, words: str
) -> None:
    before = hospital.ledger.head_block()
    assert_refused(hospital.type("offer", "publish", *offering(hospital), "--epsilon", "1", *changes), code, words)
    assert hospital.ledger.head_block() == before


def test_a_provider_is_not_its_own_arbiter(hospital: Hospital) -> None:
    given = (*offering(hospital), "--epsilon", "1", "--arbiter", hospital.signer.address)
    assert_refused(hospital.type("offer", "publish", *given), 2, "arbiter")


def test_status_tells_when_each_order_is_due(hospital: Hospital) -> None:
    there, world = listed(hospital), hospital.world
    offer_id = str(document(there.type("offer", "publish", *offering(there), "--epsilon", "1", "--json"))["offer"])
    document(hospital.type("stake", "20", "--json"))
    offer = next(view.offer for view in account(hospital).offers.values() if view.offer.id.hex() == offer_id)
    order, _ = world.ledger.place(world.buyer, offer, world.order(offer))
    placed = account(hospital).orders[order]
    shown = document(hospital.type("status", "--json"))
    (found,) = [each for each in shown["orders"] if each["id"] == order.hex()]  # type: ignore[attr-defined]
    assert found == {"id": order.hex(), "state": "placed", "reason": None, "deadline_s": placed.deadline_s}
    assert shown["differences"] == []
    assert shown["clock"] is None
    assert f"order   {order.hex()}: placed, to be delivered by 20" in hospital.type("status").out


def test_status_tells_of_a_clock_that_is_behind_the_ledgers(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "clock" not in hospital.type("status").err
    monkeypatch.setattr(standing, "time", SimpleNamespace(time=lambda: 0.0))
    assert "warning: this node's clock is" in hospital.type("status").err
    assert "behind the ledger's" in str(document(hospital.type("status", "--json"))["clock"])
