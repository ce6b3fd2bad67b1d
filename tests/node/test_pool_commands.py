"""Offers of several hospitals and earlier results, typed: `offer draft`, `consent`, `publish-draft`, `stock`."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.ledger.follower import Follower
from marketplace.protocol.rho import delta_of, epsilon_of
from node.commands.moment import moment_text
from node.commands.offers import show_published
from node.provider import Published
from tests.ledger.world import World
from tests.node.hospital import MONEY, Hospital, assert_refused, document, open_hospital
from tests.node.terminal import Ended
from tests.node.test_admission import POOL


@pytest.fixture(scope="module")
def other(world: World, anvil_url: str, hospital: Hospital, tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """Another hospital that shares the first one's store."""
    made = open_hospital(world, anvil_url, tmp_path_factory.mktemp("other"))
    shared = Path(str(hospital.connection.store))
    for path in Path(str(made.connection.store)).rglob("*"):
        if path.is_file():
            target = shared / path.relative_to(str(made.connection.store))
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                os.link(path, target)
    return made


def settings(hospital: Hospital) -> Mapping[str, str]:
    return {"AGORA_STORE": str(hospital.connection.store)}


def drafted(hospital: Hospital, other: Hospital, out: Path, *changes: str) -> Path:
    shares = ("--member", f"{hospital.dataset}:6000", "--member", f"{other.dataset}:4000")
    terms = ("--token", hospital.world.token, "--epsilon", "0.5", *MONEY, "--out", str(out))
    document(hospital.type("offer", "draft", *shares, *terms, *changes, "--json"))
    return out


def test_two_hospitals_type_their_way_to_one_offer(hospital: Hospital, other: Hospital, tmp_path: Path) -> None:
    draft = drafted(hospital, other, tmp_path / "draft.json", "--arbiter", "0x" + "11" * 20)
    given = ("consent", str(draft), "--until", "2999-12-31", "--out", str(tmp_path / "consent.json"))
    assert_refused_last(other.type(*given, "--yes", **settings(hospital)), 3, "by the end of the offer")
    until = in_a_day(hospital)
    consented = other.type(*given[:3], until, *given[4:], "--yes", **settings(hospital))
    assert consented.code == 0, consented.err
    for words in ("led by", "price       EUR 10.00", "yours       dataset", "40 % or EUR 4.00", "together    epsilon"):
        assert words in consented.err
    assert "arbiter     0x1111" in consented.err
    publish = ("offer", "publish-draft", str(draft), "--consent", str(tmp_path / "consent.json"), "--json")
    published = document(hospital.type(*publish))
    view = Follower(hospital.ledger).catch_up().offers
    (offer,) = [each.offer for each in view.values() if each.offer.id.hex() == published["offer"]]
    assert {member.provider for member in offer.members} == {hospital.signer.address, other.signer.address}
    retired = document(other.type("offer", "retire", str(published["offer"]), "--json"))
    assert retired["offer"] == published["offer"]


def test_a_published_pool_tells_what_a_person_at_all_members_loses(capsys: pytest.CaptureFixture[str]) -> None:
    show_published(Published(POOL, ()), False)
    said = capsys.readouterr().out
    charged_micro = [member.rho_micro for member in POOL.members]
    assert f"rho {charged_micro[0]:,} micro, epsilon {POOL.epsilon():.4f} of each dataset" in said
    together = epsilon_of(sum(charged_micro), delta_of(POOL.head.delta_atto))
    told = float(said.split("of each dataset, epsilon ")[1].split()[0])
    assert told >= together - 1e-4 > POOL.epsilon()


def test_a_member_reads_that_an_exact_offer_promises_nothing_before_it_consents(
    hospital: Hospital, other: Hospital, tmp_path: Path
) -> None:
    draft = tmp_path / "exact.json"
    shares = ("--member", f"{hospital.dataset}:6000", "--member", f"{other.dataset}:4000")
    permits = ("--exact", "--analyses", "--authority", "0x" + "22" * 20, "--purpose", "4")
    drafted = hospital.type(
        "offer", "draft", *shares, "--token", hospital.world.token, *MONEY, *permits, "--out", str(draft)
    )
    assert drafted.code == 0, drafted.err
    out = tmp_path / "consent.json"
    given = ("consent", str(draft), "--until", in_a_day(hospital), "--out", str(out), "--yes")
    consented = other.type(*given, **settings(hospital))
    assert consented.code == 0, consented.err
    assert " of joint analyses, led by " in consented.err
    assert "one of its allowance of exact orders, no promise to a person, 40 %" in consented.err
    assert "epsilon" not in consented.err
    published = hospital.type("offer", "publish-draft", str(draft), "--consent", str(out))
    assert "exact, no differential privacy" in published.out
    assert other.type("offer", "retire", published.out.split()[1].rstrip(":")).code == 0


def in_a_day(hospital: Hospital) -> str:
    """A day, as the options take it, that lies a day ahead."""
    return moment_text(hospital.ledger.now_s() + 86_400)[:10]


def assert_refused_last(ended: Ended, code: int, *words: str) -> None:
    """As `assert_refused` for a command that shows before it refuses."""
    assert ended.code == code, ended
    last = ended.err.splitlines()[-1]
    assert last.startswith("error: ")
    assert all(word in last for word in words), last


def test_a_consent_is_never_signed_unasked_or_over_a_file_that_is_none(
    hospital: Hospital, other: Hospital, tmp_path: Path
) -> None:
    draft, out = drafted(hospital, other, tmp_path / "draft.json"), tmp_path / "consent.json"
    given = ("consent", str(draft), "--until", in_a_day(hospital), "--out", str(out))
    assert_refused_last(other.type(*given, **settings(hospital)), 2, "give --yes")
    assert_refused_last(hospital.type(*given, "--yes"), 3, "you lead it")
    assert_refused(other.type("consent", str(draft), "--until", "soon", "--out", str(out)), 2, "a day such as")
    for data in (b"", b"{}", b"x" * 70_000, draft.read_bytes().replace(b"draft/1", b"draft/2")):
        (tmp_path / "bad.json").write_bytes(data)
        bad = ("consent", str(tmp_path / "bad.json"), "--until", in_a_day(hospital), "--out", str(out), "--yes")
        ended = other.type(*bad, **settings(hospital))
        assert ended.code in (2, 4), ended
        assert len(ended.err.splitlines()) == 1
    assert_refused(other.type("consent", "/nowhere", *given[2:]), 2, "a file at 'nowhere', found none")
    (tmp_path / "large.json").write_bytes(b" " * 2**21)
    assert_refused(other.type("consent", str(tmp_path / "large.json"), *given[2:]), 2, "got a larger one")
    assert not out.exists()


def test_a_draft_without_its_consents_is_not_published(hospital: Hospital, other: Hospital, tmp_path: Path) -> None:
    draft = drafted(hospital, other, tmp_path / "draft.json", "--max-open", "3")
    before = hospital.ledger.head_block()
    assert_refused(hospital.type("offer", "publish-draft", str(draft)), 2, "expected a consent of")
    assert_refused(other.type("offer", "publish-draft", str(draft)), 2, "a draft of your own")
    assert hospital.ledger.head_block() == before


@pytest.mark.parametrize("member", ["xyz", "00:5000", "00" * 32 + ":", "00" * 32 + ":-5", "00" * 32 + ":100000"])
def test_a_member_that_is_none_is_refused(hospital: Hospital, tmp_path: Path, member: str) -> None:
    terms = ("--token", hospital.world.token, "--epsilon", "0.5", *MONEY, "--out", str(tmp_path / "draft.json"))
    assert hospital.type("offer", "draft", "--member", member, *terms).code == 2
    assert not (tmp_path / "draft.json").exists()


@pytest.mark.parametrize(
    ("order", "changes", "words"),
    [
        ("xyz", {}, "64 hexadecimal digits"),
        ("00" * 32, {}, "none of this id"),
        ("00" * 32, {"until": "never"}, "a day such as"),
        ("00" * 32, {"cost": "much"}, "expected an amount"),
    ],
)
def test_stock_that_cannot_be_is_refused(
    hospital: Hospital, order: str, changes: Mapping[str, str], words: str
) -> None:
    options = {"cost": "1", "margin": "1", "until": "2999-12-31", **changes}
    parts = [part for name, value in options.items() for part in (f"--{name}", value)]
    before = hospital.ledger.head_block()
    assert_refused(hospital.type("stock", order, *parts), 2, words)
    assert hospital.ledger.head_block() == before


def test_an_order_of_another_provider_is_no_stock(hospital: Hospital, other: Hospital) -> None:
    world = hospital.world
    offer = world.offer()
    order, _ = world.ledger.place(world.buyer, offer, world.order(offer))
    given = ("stock", order.hex(), "--cost", "1", "--margin", "1", "--until", "2999-12-31")
    assert_refused(replace(hospital).type(*given), 2, "one of your own offers")
