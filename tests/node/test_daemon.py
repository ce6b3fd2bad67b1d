"""The whole node on a ledger in this process, with real records, a real vault, a real store and real workers."""

import csv
import shutil
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from marketplace.certificate.verification import verify
from marketplace.content.cid import Cid
from marketplace.content.directory import DirectoryStore
from marketplace.content.store import ContentStore
from marketplace.errors import Refused, Unreachable
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.identity import OrderId
from marketplace.protocol.order import CODEC_RAW
from marketplace.protocol.states import OrderState, Reason
from node.admission import Rules
from node.desks import Desks, Papers
from node.home import Node
from node.journal import Journal, Mark
from node.work import Close, Decline, Deliver, Made, Make, Refund, Release, Reveal, Seal, Settle
from node.workers.job import Name
from node.workers.process import ProcessWorkers
from tests.node.dying import DEADLY, Points
from tests.node.examples import HIDDEN, WORDS, records
from tests.node.market import HOUR_S, PURSE_UNITS, Market, embedded_market
from tests.node.workplace import quick_command

RHO_MICRO_AT_LEAST = 10_000


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return embedded_market(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """A market for many orders, one test after the other."""
    market = embedded_market(tmp_path_factory.mktemp("shared"))
    market.stake(50)
    return market


def marks(market: Market, order: OrderId) -> list[str]:
    journal = Journal(market.folder / "node" / "journal.sqlite")
    found = [entry.mark for entry in journal.entries(order)]
    journal.close()
    return found


@pytest.mark.slow
def test_the_real_generator_serves_an_order_from_place_to_settle(market: Market) -> None:
    daemon, order = market.daemon(ProcessWorkers()), market.place()
    out = market.buy(daemon, order)
    market.client.settle(order)
    market.run_until(daemon, order, OrderState.SETTLED)
    with (out / "synthetic.csv").open() as table:
        assert len(list(csv.DictReader(table))) == 50
    market.assert_sound()


@dataclass(frozen=True)
class Sold:
    """A market in which one order went its whole way. `out`: where its buyer opened the result."""

    market: Market
    order: OrderId
    out: Path


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Sold:
    market = embedded_market(tmp_path_factory.mktemp("sold"))
    daemon, order = market.daemon(), market.place()
    out = market.buy(daemon, order)
    market.client.settle(order)
    daemon.tick()
    daemon.close()
    return Sold(market, order, out)


def test_an_order_goes_its_way_from_place_to_settle(sold: Sold) -> None:
    market, order = sold.market, sold.order
    assert market.steps(order) == [Make, Seal, Deliver, Reveal]
    assert [each.receipt.function for each in market.happened if each.receipt] == ["deliver", "reveal"]
    assert market.order(order).reason is Reason.APPROVED
    assert marks(market, order) == ["started", "secrets", "sealed", *SENT]
    market.assert_sound()


SENT = ["signed:deliver", "sent:deliver", "signed:reveal", "sent:reveal"]


def test_the_buyer_opens_a_table_of_the_declared_columns(sold: Sold) -> None:
    with (sold.out / "synthetic.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 50
    assert set(rows[0]) == {"sex", "age", "test"}
    assert verify(sold.out).passed


def test_the_vault_was_debited_what_the_ledger_charged(sold: Sold) -> None:
    rho_micro = sold.market.offer.members[0].rho_micro
    assert rho_micro > RHO_MICRO_AT_LEAST
    assert sold.market.debits(sold.order) == [rho_micro]
    assert sold.market.used_micro() == rho_micro


def test_an_ended_order_keeps_its_account_and_not_its_result(sold: Sold) -> None:
    folder = sold.market.folder / "node" / "orders" / sold.order.hex()
    kept = {path.name for path in folder.iterdir()}
    assert not {Name.RESULT, Name.SEALED, "synthetic.csv"} & kept
    assert {Name.MEASUREMENTS, Name.OUTCOME, Name.MANIFEST, Name.PROVIDER_SCORES, "report.html"} <= kept


def test_the_object_on_the_ledger_is_in_the_store(sold: Sold) -> None:
    delivery, store = sold.market.order(sold.order).delivery, sold.market.node.store
    assert delivery is not None
    assert store.has(Cid(delivery.object, delivery.object_codec))
    assert store.has(Cid(delivery.manifest, CODEC_RAW))


def test_nothing_about_a_person_is_public(sold: Sold) -> None:
    public = [*(sold.market.folder / "store").rglob("*"), *sold.out.rglob("*")]
    assert len(public) > 10
    for path in public:
        assert path.is_dir() or HIDDEN.encode() not in path.read_bytes()


def test_the_node_is_for_its_owner_only(sold: Sold) -> None:
    for path in (sold.market.folder / "node").rglob("*"):
        assert not path.stat().st_mode & 0o077, path


def test_payouts_are_withdrawn_once(sold: Sold) -> None:
    provider = sold.market.node.provider()
    assert [receipt.function for receipt in provider.withdraw()] == ["withdrawPayout"]
    assert provider.withdraw() == ()
    assert [receipt.function for receipt in provider.withdraw_stake()] == ["withdrawCredit"]
    assert provider.withdraw_stake() == ()
    sold.market.assert_sound()


def test_the_node_settles_when_the_buyer_does_not(shared: Market) -> None:
    daemon, order = shared.daemon(), shared.place()
    shared.buy(daemon, order)
    daemon.tick()
    assert shared.order(order).state is OrderState.REVEALED
    shared.pass_time(HOUR_S)
    shared.run_until(daemon, order, OrderState.SETTLED)
    daemon.close()
    assert shared.steps(order)[-1] is Settle
    assert shared.order(order).reason is Reason.UNCHALLENGED
    shared.assert_sound()


def test_a_delivery_is_posted_at_its_slot(shared: Market) -> None:
    slot_s = 600
    purchase = shared.client.draft(shared.offer.id, rows=50, slot_s=slot_s)
    daemon, order = shared.daemon(), shared.client.place(purchase).order
    shared.run(daemon, lambda: Seal in shared.steps(order))
    daemon.tick()
    assert Deliver not in shared.steps(order)
    shared.pass_time(slot_s)
    delivered = shared.run_until(daemon, order, OrderState.DELIVERED)
    daemon.close()
    step = delivered.at(OrderState.DELIVERED)
    assert step is not None
    assert step.position.at_s >= delivered.placed_at_s + slot_s


def test_an_order_that_the_rules_forbid_is_declined_and_its_rho_released(shared: Market) -> None:
    before, credit_units = shared.used_micro(), buyers_credit(shared)
    daemon, order = shared.daemon(rules=Rules(buyers=frozenset())), shared.place()
    assert shared.used_micro() > before
    shared.run(daemon, lambda: Release in shared.steps(order))
    daemon.tick()
    daemon.close()
    assert shared.steps(order) == [Close, Decline, Release]
    assert shared.order(order).reason is Reason.DECLINED
    assert shared.used_micro() == before
    assert shared.debits(order) == []
    assert "named buyers" in shared.reasons(order)[0]
    assert marks(shared, order)[0] == Mark.DECLINED
    assert buyers_credit(shared) == credit_units + shared.offer.head.price_units
    shared.assert_sound()


def buyers_credit(market: Market) -> int:
    return market.ledger.credit_units(market.token, market.client.signer.address)


def test_an_order_that_lapsed_while_the_node_was_off_is_refunded_and_released(shared: Market) -> None:
    before, order = shared.used_micro(), shared.place()
    shared.pass_time(HOUR_S + 1)
    daemon = shared.daemon()
    shared.run(daemon, lambda: Release in shared.steps(order))
    daemon.close()
    assert shared.steps(order) == [Refund, Close, Release]
    assert shared.order(order).reason is Reason.NOT_DELIVERED
    assert shared.used_micro() == before
    shared.assert_sound()


def test_an_order_that_lapsed_after_its_records_were_opened_is_refunded_and_its_rho_stays_spent(shared: Market) -> None:
    before = shared.used_micro()
    daemon, order = shared.daemon(), shared.place()
    shared.run(daemon, lambda: shared.debits(order) != [])
    daemon.close()
    shared.pass_time(HOUR_S + 1)
    again = shared.daemon()
    shared.run_until(again, order, OrderState.REFUNDED)
    for _ in range(3):
        again.tick()
    again.close()
    assert shared.steps(order) == [Make, Refund]
    assert shared.used_micro() == before + shared.offer.members[0].rho_micro
    assert shared.order(order).released == frozenset()
    shared.assert_sound()


def test_without_the_memory_after_its_records_were_opened_an_order_is_not_delivered_and_its_rho_stays_spent(
    shared: Market, tmp_path: Path
) -> None:
    before = shared.used_micro()
    (tmp_path / DEADLY).write_text(f"debited\nkey journalled\nkept {Name.MEASUREMENTS}")
    workers = ProcessWorkers(1, quick_command(tmp_path, "hungry"))
    daemon, order = shared.daemon(workers), shared.place()
    folder = shared.folder / "node" / "orders" / order.hex()
    shared.run(daemon, lambda: (folder / Name.LOG).exists() and workers.made(order, folder) is Made.FAILED)
    assert (folder / Name.LOG).read_text().count("MemoryError") == 3
    shared.pass_time(HOUR_S + 1)
    shared.run_until(daemon, order, OrderState.REFUNDED)
    daemon.close()
    assert shared.steps(order)[-1] is Refund
    assert (shared.order(order).reason, shared.order(order).declined) == (Reason.NOT_DELIVERED, None)
    assert shared.order(order).released == frozenset()
    assert shared.used_micro() == before + shared.offer.members[0].rho_micro
    shared.assert_sound()


@pytest.mark.parametrize(("point", "touched"), [("opened", False), ("debited", True)])
def test_work_in_hand_when_an_order_ends_is_ended_too(
    shared: Market, tmp_path: Path, point: str, touched: bool
) -> None:
    (tmp_path / DEADLY).write_text(point)
    workers = ProcessWorkers(1, quick_command(tmp_path, "held"))
    daemon, order = shared.daemon(workers), shared.place()
    daemon.tick()
    shared.run(daemon, lambda: point in Points(tmp_path).passed())
    assert not workers.has_place()
    shared.pass_time(HOUR_S + 1)
    for _ in range(4):
        daemon.tick()
    assert workers.has_place()
    daemon.close()
    assert shared.order(order).state is OrderState.REFUNDED
    assert (shared.debits(order) != []) is touched
    assert (shared.order(order).released == frozenset()) is touched


def test_a_delivery_that_nobody_accepts_is_refunded_less_the_compute_fee(shared: Market) -> None:
    before = shared.used_micro()
    daemon, order = shared.daemon(), shared.place()
    shared.run_until(daemon, order, OrderState.DELIVERED)
    shared.pass_time(HOUR_S + 1)
    shared.run_until(daemon, order, OrderState.REFUNDED)
    daemon.close()
    assert shared.order(order).reason is Reason.NOT_ACCEPTED
    assert shared.used_micro() == before + shared.offer.members[0].rho_micro
    shared.assert_sound()


def test_a_key_is_not_revealed_in_the_last_quarter(shared: Market) -> None:
    daemon, order = shared.daemon(), shared.place()
    shared.run_until(daemon, order, OrderState.DELIVERED)
    shared.client.receive(order)
    shared.client.accept(order)
    shared.pass_time(HOUR_S * 3 // 4 + 1)
    for _ in range(3):
        daemon.tick()
    assert shared.order(order).state is OrderState.ACCEPTED
    shared.pass_time(HOUR_S)
    shared.client.refund(order)
    shared.run(daemon, lambda: order in daemon._ended)
    daemon.close()
    assert shared.order(order).state is OrderState.FORFEITED
    assert Reveal not in shared.steps(order)
    shared.assert_sound()


def test_bytes_that_are_no_specification_are_declined(shared: Market) -> None:
    daemon, order = shared.daemon(), shared.place_unspecified(b'{"format":"agora/egg/1"}')
    shared.run(daemon, lambda: Release in shared.steps(order))
    daemon.close()
    assert shared.order(order).reason is Reason.DECLINED
    assert "agora/specification/1" in shared.reasons(order)[0]


def test_a_missing_specification_is_waited_for_until_the_deadline(shared: Market) -> None:
    before, purchase = shared.used_micro(), shared.draft()
    daemon = shared.daemon()
    order = shared.place_with(sha256(purchase.specification.encode()).digest())
    for _ in range(3):
        (waiting,) = (each for each in daemon.tick() if each.order == order)
        assert "for the specification" in str(waiting.step)
    shared.pass_time(HOUR_S + 1)
    shared.run(daemon, lambda: Release in shared.steps(order))
    daemon.close()
    assert shared.used_micro() == before


def test_a_specification_that_comes_late_is_served(shared: Market) -> None:
    purchase = shared.draft()
    data = purchase.specification.encode()
    daemon, order = shared.daemon(), shared.place_with(sha256(data).digest())
    daemon.tick()
    assert shared.steps(order) == []
    shared.node.store.put([data])
    shared.run_until(daemon, order, OrderState.DELIVERED)
    daemon.close()


def test_a_specification_for_another_offer_is_declined(shared: Market) -> None:
    other = shared.publish(epsilon=0.9)
    order = shared.place_unspecified(shared.draft(other).specification.encode())
    daemon = shared.daemon()
    shared.run(daemon, lambda: Release in shared.steps(order))
    daemon.close()
    assert "for another offer" in shared.reasons(order)[0]


def test_a_store_that_takes_nothing_while_sealing_is_tried_again(market: Market) -> None:
    daemon, order = market.daemon(), market.place()
    market.run(daemon, lambda: market.debits(order) != [])
    store = market.folder / "store"
    store.rename(market.folder / "away")
    store.write_bytes(b"a file where the folder was")
    market.run(daemon, lambda: any(each.trouble for each in market.happened))
    for _ in range(3):
        daemon.tick()
    assert sum(each.trouble for each in market.happened) == 1
    assert "Not a directory" in market.reasons(order)[-1] or "File exists" in market.reasons(order)[-1]
    assert "\n" not in market.reasons(order)[-1]
    store.unlink()
    (market.folder / "away").rename(store)
    market.buy(daemon, order)
    daemon.close()
    assert len(market.debits(order)) == 1
    assert marks(market, order).count(Mark.SECRETS) == 1


class ReadOnly(DirectoryStore):
    """A directory that may be read."""

    def put_block(self, block: object) -> None:
        raise Refused("expected to be allowed to use the disk, got 'Read-only file system'; give access")


def with_store(market: Market, store: ContentStore) -> Market:
    """The same market, with another store at the node."""
    return replace(market, node=replace(market.node, store=store), happened=[])


def test_a_read_only_store_is_told_once_and_journalled_and_nothing_is_lost(market: Market) -> None:
    stuck, order = with_store(market, ReadOnly(market.folder / "store")), market.place()
    daemon = stuck.daemon()
    stuck.run(daemon, lambda: any(each.trouble for each in stuck.happened))
    for _ in range(3):
        daemon.tick()
    daemon.close()
    assert stuck.steps(order)[0] is Make
    assert sum(each.trouble for each in stuck.happened) == 1
    assert marks(market, order) == ["started", "secrets", "trouble"]
    again = market.daemon()
    market.buy(again, order)
    again.close()
    assert marks(market, order).count(Mark.SECRETS) == 1
    assert len(market.debits(order)) == 1


def test_a_key_is_revealed_though_the_store_is_gone(market: Market) -> None:
    daemon, order = market.daemon(), market.place()
    market.run_until(daemon, order, OrderState.DELIVERED)
    market.client.receive(order)
    market.client.accept(order)
    shutil.rmtree(market.folder / "store")
    market.run_until(daemon, order, OrderState.REVEALED)
    assert market.client.order(order).key is not None
    daemon.close()


def test_a_sealed_result_waits_for_its_slot_though_the_store_is_gone(market: Market) -> None:
    purchase = market.client.draft(market.offer.id, rows=50, slot_s=900)
    daemon, order = market.daemon(), market.client.place(purchase).order
    market.run(daemon, lambda: Seal in market.steps(order))
    shutil.rmtree(market.folder / "store")
    (waiting,) = daemon.tick()
    assert "for the delivery slot" in str(waiting.step)
    market.pass_time(900)
    market.run_until(daemon, order, OrderState.DELIVERED)
    daemon.close()


def test_records_that_changed_on_the_disk_are_declined_untouched(market: Market) -> None:
    (snapshot,) = (market.folder / "node" / "vault" / "snapshots").iterdir()
    data = bytearray(snapshot.read_bytes())
    data[len(data) // 2] ^= 1
    snapshot.write_bytes(data)
    daemon, order = market.daemon(), market.place()
    market.run(daemon, lambda: Release in market.steps(order))
    daemon.close()
    assert market.steps(order)[:3] == [Make, Close, Decline]
    assert market.reasons(order) == ["not delivered"]
    assert market.debits(order) == []
    assert market.used_micro() == 0


def test_a_version_that_was_revised_since_is_declined(market: Market) -> None:
    order = market.place()
    other = records(market.folder / "more.csv", persons=310)
    listed = market.listed
    market.node.provider().revise_dataset(listed.dataset, other, listed.snapshot.schema, WORDS, rows_declared=400)
    daemon = market.daemon()
    market.run(daemon, lambda: Release in market.steps(order))
    assert "holds version 2" in market.reasons(order)[0]
    order = market.place()
    market.run_until(daemon, order, OrderState.DELIVERED)
    daemon.close()


def test_a_node_without_the_datasets_account_declines_and_releases_nothing(market: Market, tmp_path: Path) -> None:
    daemon, touched = market.daemon(), market.place()
    market.run(daemon, lambda: market.debits(touched) != [])
    daemon.close()
    market.pass_time(HOUR_S + 1)
    market.stake(1)
    order, used_micro = market.place(), market.used_micro()
    empty = Node.open(tmp_path / "elsewhere", market.node.keys, market.ledger, market.node.store)
    lost = replace(market, node=empty, happened=[])
    daemon = lost.daemon()
    lost.run(daemon, lambda: {order, touched} <= daemon._ended)
    daemon.close()
    assert lost.steps(touched) == [Refund]
    assert lost.steps(order) == [Close, Decline]
    assert lost.reasons(order) == ["this node does not hold the dataset"]
    assert market.used_micro() == used_micro


def test_a_budget_in_the_nodes_own_account_that_is_too_small_declines(market: Market) -> None:
    account, name = market.node.vault.account, market.listed.snapshot.dataset
    account.debit(b"e" * 32, name, account.total(name) - 1)
    daemon, order = market.daemon(), market.place()
    market.run(daemon, lambda: Release in market.steps(order))
    daemon.close()
    assert "node's own account" in market.reasons(order)[0]
    assert market.debits(order) == []


def test_two_orders_share_one_place_and_both_are_served(shared: Market) -> None:
    daemon, orders = shared.daemon(), [shared.place(), shared.place()]
    for order in orders:
        shared.run_until(daemon, order, OrderState.DELIVERED)
    daemon.close()
    assert all(len(shared.debits(order)) == 1 for order in orders)
    assert len({shared.order(order).delivery for order in orders}) == 2


def test_trouble_with_one_order_does_not_hold_another_up(market: Market) -> None:
    market.stake(1)
    (market.folder / "node" / "orders").mkdir()
    first, second = market.place(), market.place()
    (market.folder / "node" / "orders" / first.hex()).write_bytes(b"a file where a folder belongs")
    daemon = market.daemon()
    market.run_until(daemon, second, OrderState.DELIVERED)
    daemon.close()
    assert any(each.trouble and each.order == first for each in market.happened)
    assert market.order(first).state is OrderState.PLACED


def test_a_fault_in_one_order_does_not_hold_another_up(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    market.stake(1)
    first, second = market.place(), market.place()
    papers = Desks.papers

    def stumbling(self: Desks, account: Account, order: OrderView) -> Papers:
        if order.id == first:
            raise ZeroDivisionError
        return papers(self, account, order)

    monkeypatch.setattr(Desks, "papers", stumbling)
    daemon = market.daemon()
    happened = daemon.tick()
    daemon.close()
    (trouble,) = (each for each in happened if each.trouble)
    assert trouble.order == first and "a fault: ZeroDivisionError" in trouble.step.why
    assert any(each.order == second and isinstance(each.step, Make) for each in happened)


def test_a_provider_without_a_bond_is_refused_before_money_moves(market: Market) -> None:
    market.place()
    before = market.ledger.balance_units(market.token, market.client.signer.address)
    with pytest.raises(Refused, match="choose another offer"):
        market.place()
    assert market.ledger.balance_units(market.token, market.client.signer.address) == before
    assert len(market.client.account().orders) == 1


def test_a_budget_that_is_too_small_is_refused_before_money_moves(market: Market) -> None:
    spent = market.publish(epsilon=9.9)
    market.stake(100)
    orders = 0
    with pytest.raises(Refused, match=r"the dataset has \d+ left"):
        while orders < 100:
            market.place(spent)
            orders += 1
    paid = orders * spent.head.price_units
    assert market.ledger.balance_units(market.token, market.client.signer.address) == PURSE_UNITS - paid


def test_a_second_node_over_the_same_folder_is_refused(shared: Market) -> None:
    daemon = shared.daemon()
    with pytest.raises(Refused, match="no other node has"):
        shared.daemon()
    daemon.close()
    shared.daemon().close()


def test_orders_of_other_providers_are_left_alone(shared: Market, tmp_path: Path) -> None:
    stranger = replace(shared.node.keys, signer=shared.client.signer)
    other = replace(shared, node=replace(shared.node, keys=stranger), happened=[])
    assert shared.client.account().orders
    daemon = other.daemon()
    assert daemon.tick() == ()
    daemon.close()


def test_a_ledger_that_does_not_answer_is_unreachable(shared: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = shared.daemon()

    def silent() -> int:
        raise Unreachable("nobody answered")

    monkeypatch.setattr(shared.ledger, "head_block", silent)
    with pytest.raises(Unreachable):
        daemon.tick()
    daemon.close()
