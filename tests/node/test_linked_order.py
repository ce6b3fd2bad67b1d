"""An order of two tables under persons, from listing to the opened and verified result, with the real worker."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from marketplace.buying.spot_check import Sampled, spot_check
from marketplace.certificate.folder import DELIVERY, INNER
from marketplace.certificate.opening import Opening
from marketplace.certificate.verification import verify
from marketplace.errors import Invalid, Refused
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import OrderState
from marketplace.sealing import chunk_key
from node.synthesis.generators import LINKED_GENERATOR, serving
from node.workers.job import Name
from node.workers.process import ProcessWorkers
from tests.node.examples import SCHEMA, WORDS
from tests.node.market import SLOT_S, Market, conditions, embedded_market
from tests.node.workplace import quick_command
from tests.vault.linked import HIDDEN, LIVER, liver_records

PERSONS = 1_200


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory) -> tuple[Market, OrderId, Path]:
    """A market in which an order of persons with their tests went its whole way, and where its result was opened."""
    market = embedded_market(tmp_path_factory.mktemp("linked"))
    quick_command(market.points)
    path, further = liver_records(market.folder, 200)
    provider = market.node.provider()
    listed = provider.list_dataset(path, LIVER, WORDS, 10**6, rows_declared=200, further=further)
    wanted = conditions(market.token)
    offer = provider.publish(listed.dataset, listed.description, wanted, now_s=market.ledger.now_s()).offer
    order = market.client.place(market.client.draft(offer.id, rows=PERSONS, slot_s=SLOT_S)).order
    daemon = market.daemon(ProcessWorkers())
    out = market.buy(daemon, order)
    market.client.settle(order)
    market.run_until(daemon, order, OrderState.SETTLED)
    daemon.tick()
    daemon.close()
    return market, order, out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as table:
        return list(csv.DictReader(table))


def test_the_buyer_gets_both_tables_under_person_numbers_that_mean_nothing(
    bought: tuple[Market, OrderId, Path],
) -> None:
    _, _, out = bought
    persons, labs = rows(out / "synthetic.csv"), rows(out / "labs.csv")
    assert [row["patient"] for row in persons] == [str(number) for number in range(1, PERSONS + 1)]
    each = Counter(row["patient"] for row in labs)
    assert set(each) <= {row["patient"] for row in persons} and max(each.values()) <= 5
    assert HIDDEN not in (out / "synthetic.csv").read_text() + (out / "labs.csv").read_text()


def test_the_result_verifies_and_the_market_is_sound(bought: tuple[Market, OrderId, Path]) -> None:
    market, _, out = bought
    verification = verify(out)
    assert verification.passed, [check for check in verification.checks if not check.passed]
    assert f"{PERSONS:,} rows" in verification.checks[5].evidence
    market.assert_sound()


def test_the_certificate_names_the_generator_and_the_unit_of_both_tables(bought: tuple[Market, OrderId, Path]) -> None:
    _, _, out = bought
    text = (out / "manifest.json").read_text()
    assert f'"name":"{LINKED_GENERATOR}"' in text
    assert "no more is used than one row and the first 5 rows in time of labs" in text
    assert "rows/labs/marginal/0" in text and "persons/cells/0/0" in text


def test_a_changed_further_table_does_not_verify(bought: tuple[Market, OrderId, Path], tmp_path: Path) -> None:
    _, _, out = bought
    folder = tmp_path / "changed"
    folder.mkdir()
    for path in out.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    labs = (folder / "labs.csv").read_text().splitlines()
    (folder / "labs.csv").write_text("\n".join([*labs, f"{PERSONS},50,hdl,3", f"{PERSONS},-50,hdl,3"]) + "\n")
    failed = [number for number, check in enumerate(verify(folder).checks, 1) if not check.passed]
    assert failed == [5, 6, 11]
    (folder / "labs.csv").unlink()
    with pytest.raises(Invalid, match=r"expected the file labs\.csv in a result's folder"):
        verify(folder)


def test_a_spot_check_opens_chunks_of_the_main_table_and_says_what_it_did_not_look_into(
    bought: tuple[Market, OrderId, Path],
) -> None:
    _, _, out = bought
    key = Opening.decode((out / DELIVERY).read_bytes()).key
    sampled = Sampled(LIVER, PERSONS, bytes(32))
    with (out / INNER).open("rb") as inner:
        verdict = spot_check(inner, sampled, 4, lambda indices: {index: chunk_key(key, index) for index in indices})
    assert verdict.passed, verdict
    assert verdict.evidence.endswith("chunks with synthetic.csv; not looked into: labs.csv")


def test_what_the_provider_alone_may_know_of_the_strands_stays_in_the_node(
    bought: tuple[Market, OrderId, Path],
) -> None:
    market, order, out = bought
    folder = next((market.folder / "node").rglob(order.hex()))
    assert b"provider only" in (folder / Name.PROVIDER_LINKS).read_bytes()
    assert not list(out.glob("provider*"))
    assert not list(folder.glob("*.csv"))


def test_the_provider_can_make_both_tables_again_byte_for_byte(bought: tuple[Market, OrderId, Path]) -> None:
    market, order, out = bought
    delivery = market.order(order).delivery
    assert delivery is not None
    replayed = market.node.replay(order, lambda _: None, out)
    assert (replayed.found, replayed.altered) == (delivery.plain_root, ())


def test_other_generators_are_not_asked_for_rows_under_persons() -> None:
    assert serving("private-marginals", LIVER) == LINKED_GENERATOR == serving(LINKED_GENERATOR, LIVER)
    assert serving("private-marginals", SCHEMA) == "private-marginals"
    with pytest.raises(Invalid, match="expected one of private-visits, sdv-par, sdv-hma for rows that hang together"):
        serving("neural", LIVER)


def test_an_offer_whose_rho_does_not_pay_for_the_tables_is_refused(bought: tuple[Market, OrderId, Path]) -> None:
    market, _, _ = bought
    path, further = liver_records(market.folder, 200, seed=9)
    provider = market.node.provider()
    listed = provider.list_dataset(path, LIVER, WORDS, 10**6, rows_declared=200, further=further)
    poor = conditions(market.token, epsilon=0.1)
    with pytest.raises(Refused, match="expected a rho of at least"):
        provider.publish(listed.dataset, listed.description, poor, now_s=market.ledger.now_s())
