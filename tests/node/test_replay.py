"""A delivered order made again on the provider's side: the same draw, the same root, nothing paid and nothing shown."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.identity import OrderId
from marketplace.protocol.specification import Curve, Workload
from marketplace.protocol.states import OrderState
from node import replay as replaying
from node.environment import this_environment
from node.replay import Replay
from node.vault.access import Access
from node.workers.job import Name
from tests.node.market import Market, embedded_market
from tests.node.quick_child import quick


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Market, OrderId, Path]]:
    """A market with one order whose result its buyer has opened, and that result's folder."""
    market = embedded_market(tmp_path_factory.mktemp("replay"))
    market.stake(10)
    daemon, order = market.daemon(), market.place()
    out = market.buy(daemon, order)
    daemon.close()
    yield market, order, out


def again(market: Market, order: OrderId, given: Path | None = None) -> Replay:
    return market.node.replay(order, lambda _: None, given, quick)


def openings(market: Market, order: OrderId) -> list[str]:
    found = market.node.vault.access.connection.execute(
        "SELECT access FROM access WHERE order_id = ? ORDER BY sequence", (order,)
    )
    return [access for (access,) in found.fetchall()]


def test_a_delivered_order_gives_the_same_root_again(delivered: tuple[Market, OrderId, Path]) -> None:
    market, order, out = delivered
    view = market.order(order)
    assert view.delivery is not None
    found = again(market, order, out)
    assert found == Replay(view.delivery.plain_root, view.delivery.plain_root, (), ())
    found.check()


def test_a_replay_debits_nothing_is_in_the_access_log_and_leaves_nothing_behind(
    delivered: tuple[Market, OrderId, Path],
) -> None:
    market, order, _ = delivered
    debits, logged = market.debits(order), openings(market, order)
    events, before = market.ledger.head_block(), sorted((market.folder / "node").rglob("*"))
    again(market, order)
    assert market.debits(order) == debits
    assert len(debits) == 1
    assert openings(market, order) == [*logged, Access.REPLAYED.value]
    assert market.ledger.head_block() == events
    assert sorted((market.folder / "node").rglob("*")) == before


def test_kept_measurements_and_a_given_result_that_were_changed_are_found(
    delivered: tuple[Market, OrderId, Path], tmp_path: Path
) -> None:
    market, order, out = delivered
    kept = market.folder / "node" / "orders" / order.hex() / Name.MEASUREMENTS
    whole, copy = kept.read_bytes(), tmp_path / "copy"
    shutil.copytree(out, copy)
    (copy / "report.html").write_text("<p>Another report.</p>")
    (copy / "picture.png").unlink()
    kept.write_bytes(whole.replace(b'"counts":[', b'"counts":[1,', 1))
    try:
        found = again(market, order, copy)
    finally:
        kept.write_bytes(whole)
    assert found.found == found.delivered
    assert found.altered == (f"kept {Name.MEASUREMENTS}", "given report.html", "given picture.png")
    with pytest.raises(Corrupt, match=r"got another kept measurements\.json, given report\.html"):
        found.check()


def test_records_that_were_changed_are_found_before_anything_is_made(
    delivered: tuple[Market, OrderId, Path],
) -> None:
    market, order, _ = delivered
    (stored,) = [path for path in (market.folder / "node" / "vault" / "snapshots").iterdir() if path.is_file()]
    whole = stored.read_bytes()
    stored.chmod(0o600)
    stored.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    try:
        with pytest.raises(Corrupt):
            again(market, order)
    finally:
        stored.write_bytes(whole)


def test_another_environment_is_named_and_then_another_root_proves_nothing(
    delivered: tuple[Market, OrderId, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    market, order, _ = delivered
    monkeypatch.setattr(replaying, "this_environment", lambda: replace(this_environment(), python="CPython 2.7"))
    found = again(market, order)
    assert found.elsewhere == ("python",)
    found.check()
    with pytest.raises(Refused, match="differs in python; another the result proves nothing here"):
        replace(found, found=bytes(32)).check()
    with pytest.raises(Corrupt, match="look for who changed it"):
        replace(found, found=bytes(32), elsewhere=()).check()


def test_an_order_that_was_not_delivered_is_refused_and_nothing_is_opened(
    delivered: tuple[Market, OrderId, Path],
) -> None:
    market, *_ = delivered
    order = market.place()
    with pytest.raises(Refused, match="expected an order that was delivered"):
        again(market, order)
    assert openings(market, order) == []
    assert market.debits(order) == []


def test_an_order_of_nobody_is_invalid(delivered: tuple[Market, OrderId, Path]) -> None:
    market, *_ = delivered
    with pytest.raises(Invalid, match="an order of this node's own offers"):
        again(market, OrderId(bytes(32)))


def test_a_vault_replays_no_draw_that_was_not_made(delivered: tuple[Market, OrderId, Path]) -> None:
    market, *_ = delivered
    vault = market.node.vault
    (held, *_) = vault.snapshots()
    with pytest.raises(Refused, match="this one never did"):
        vault.draw(bytes(32), held.dataset, held.version, 1, again=True)
    assert not vault.account.touched(bytes(32), held.dataset)
    assert openings(market, OrderId(bytes(32))) == []


def test_an_order_with_a_curve_replays_too(delivered: tuple[Market, OrderId, Path]) -> None:
    market, *_ = delivered
    daemon = market.daemon()
    names = {column.name: column for column in market.listed.description.schema.columns}
    numbers = [name for name, column in names.items() if hasattr(column, "lower")]
    groups = [name for name, column in names.items() if name not in numbers and column.size <= 12]
    workload = Workload((), (Curve(numbers[0], groups[0]),))
    order = market.client.place(market.draft(workload=workload)).order
    market.run_until(daemon, order, OrderState.DELIVERED)
    daemon.close()
    again(market, order).check()


def test_a_review_is_kept_in_the_orders_folder_and_nothing_of_it_elsewhere(
    delivered: tuple[Market, OrderId, Path],
) -> None:
    market, order, out = delivered
    logged, debits = openings(market, order), market.debits(order)
    path = market.node.review(order, lambda _: None, quick)
    assert path == market.folder / "node" / "orders" / order.hex() / Name.REVIEW
    assert path.stat().st_mode & 0o777 == 0o600
    page = path.read_text()
    for words in ("Provider only", "Prediction", "Where the rows lie", "Attacks", "Seed 20250101"):
        assert words in page
    assert b'"audience":"provider only"' in (path.parent / Name.REVIEW_SCORES).read_bytes()
    assert openings(market, order) == [*logged, Access.REPLAYED.value]
    assert market.debits(order) == debits
    assert not [kept for kept in out.iterdir() if "review" in kept.name]
