"""The spot check, from the buyer's client over real TLS to a provider that opens chunks, honestly or not."""

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from marketplace.buying.asking import NoEndpoint
from marketplace.buying.spot_check import SEED, Finding, Sampled, Verdict, spot_check
from marketplace.certificate.folder import INNER
from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from marketplace.ledger.signatures import chunk_request_signer
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.chunks import ChunkKeys, SignedChunkRequest
from marketplace.protocol.descriptor import Described
from marketplace.protocol.draw import draw
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import OrderState
from marketplace.sealing import chunk_key
from marketplace.sealing.chunk import DATA_BYTES
from tests.buying.answering import Opener, answering, answering_for, silent
from tests.buying.provider import KEY
from tests.buying.world import World
from tests.protocol.examples import SCHEMA

ROWS = 5_000
"""Of 7 bytes at least: 35 chunks, so that all 8 may be opened."""


def delivered(world: World, rows: int = ROWS) -> OrderId:
    """An order of so many rows with a delivery."""
    assert world.standing is not None
    client = world.client()
    order = client.place(client.draft(world.standing.id, rows=rows, slot_s=60)).order
    world.provider.deliver(order)
    return order


def check(world: World, order: OrderId, folder: Path, opener: Opener, chunks: int = 4) -> Verdict:
    """The verdict over a node of the provider that opens chunks as `opener` does."""
    with answering(folder / "node", world.provider.signer.address, world.store, opener) as described:
        return world.client().spot_check(order, described, chunks=chunks)


# ------------------------------------------------------------------------------------------------------ an honest provider


def test_an_honest_delivery_is_right_and_can_be_accepted(world: World, tmp_path: Path) -> None:
    order, opener = delivered(world), Opener()
    verdict = check(world, order, tmp_path, opener)
    assert (verdict.finding, verdict.passed) == (Finding.RIGHT, True)
    assert len(verdict.chunks) == 4
    assert verdict.chunks[0] == 0
    assert opener.indices == list(verdict.chunks)
    assert world.client().accept(order) is not None


def test_the_newest_descriptor_on_the_ledger_says_whom_to_ask(world: World, tmp_path: Path) -> None:
    order, older, newer = delivered(world), Opener(), Opener()
    client = world.client()
    with pytest.raises(Refused, match="describes its node on the ledger"):
        client.spot_check(order)
    with (
        answering_for(tmp_path / "older", world.provider, older),
        answering_for(tmp_path / "newer", world.provider, newer),
    ):
        assert client.spot_check(order).passed
    assert (len(older.asked), len(newer.asked)) == (0, 2)
    with pytest.raises(NoEndpoint, match="describes none"):
        client.spot_check(order)


def test_the_request_is_signed_by_the_buyer_for_this_delivery_and_soon_expires(world: World, tmp_path: Path) -> None:
    order, opener = delivered(world), Opener()
    check(world, order, tmp_path, opener)
    view = world.client().order(order)
    for signed in opener.asked:
        assert (signed.request.order, signed.request.delivery) == (order, view.delivery_hash)
        assert 0 < signed.request.until_s - world.ledger.now_s() <= 600
        signer = chunk_request_signer(world.ledger.domain, signed.request, signed.signature)
        assert signer == world.buyer.address


def test_another_check_asks_for_the_same_chunks_and_for_more_only_when_told(world: World, tmp_path: Path) -> None:
    order, first, again, more = delivered(world), Opener(), Opener(), Opener()
    before = check(world, order, tmp_path, first)
    assert check(world, order, tmp_path, again) == before
    assert set(check(world, order, tmp_path, more, chunks=8).chunks) > set(before.chunks)
    assert len(set(first.indices + again.indices + more.indices)) == 8


def test_the_draw_is_made_after_the_delivery_from_the_randomness_given(world: World, tmp_path: Path) -> None:
    order, opener = delivered(world), Opener()
    with answering(tmp_path / "node", world.provider.signer.address, world.store, opener) as described:
        asked = list[int]()

        def randomness(size: int) -> bytes:
            asked.append(size)
            assert world.client().order(order).state is OrderState.DELIVERED
            return b"r" * size

        world.client().spot_check(order, described, randomness=randomness)
        world.client().spot_check(order, described, randomness=randomness)
    assert asked == [32]
    assert (world.wallet / order.hex() / SEED).read_bytes() == b"r" * 32


def test_a_small_result_is_opened_in_a_quarter_of_its_rows_and_a_tiny_one_not_at_all(
    world: World, tmp_path: Path
) -> None:
    small, tiny, opener = delivered(world, 1_200), delivered(world, 500), Opener()
    assert len(check(world, small, tmp_path, opener, chunks=8).chunks) == 2
    asked = len(opener.asked)
    with pytest.raises(Refused, match="too small to be opened in part"):
        check(world, tiny, tmp_path, opener)
    assert len(opener.asked) == asked


@pytest.mark.parametrize("chunks", [0, -1, 9])
def test_another_number_of_chunks_is_invalid(world: World, tmp_path: Path, chunks: int) -> None:
    opener = Opener()
    with pytest.raises(Invalid, match="expected 1 to 8 chunks"):
        check(world, delivered(world), tmp_path, opener, chunks)
    assert opener.asked == []


def test_only_an_order_that_waits_for_acceptance_is_looked_into(world: World, tmp_path: Path) -> None:
    placed, accepted, opener = world.place(), world.accepted(), Opener()
    with pytest.raises(Refused, match="expected a delivery, the order is Placed"):
        check(world, placed, tmp_path, opener)
    with pytest.raises(Refused, match="it is Accepted; nothing is opened"):
        check(world, accepted, tmp_path, opener)
    assert opener.asked == []


# ------------------------------------------------------------------------------------------------ what a buyer must reject


def rubbish_from(place: int) -> object:
    """Random bytes in the place of all that comes after so many bytes of the packed result."""
    return lambda plain: plain[:place] + Random(4).randbytes(len(plain) - place)


def test_rubbish_that_is_sealed_consistently_is_noticed_and_can_be_rejected(world: World, tmp_path: Path) -> None:
    world.provider.spoil = rubbish_from(2_000)  # type: ignore[assignment]
    order = delivered(world)
    verdict = check(world, order, tmp_path, Opener())
    assert (verdict.finding, verdict.passed) == (Finding.OUTSIDE_SCHEMA, False)
    wrong = int(verdict.evidence.split(":")[0].removeprefix("chunk "))
    assert wrong in verdict.chunks
    assert wrong >= 2
    world.client().reject(order)
    assert world.client().order(order).state is OrderState.REFUNDED


def test_a_result_that_is_rubbish_from_its_first_byte_is_noticed_by_its_first_chunk(
    world: World, tmp_path: Path
) -> None:
    world.provider.spoil = rubbish_from(0)  # type: ignore[assignment]
    opener = Opener()
    verdict = check(world, delivered(world), tmp_path, opener)
    assert (verdict.finding, verdict.chunks) == (Finding.OUTSIDE_SCHEMA, (0,))
    assert opener.indices == [0]


def test_a_table_of_other_columns_is_noticed(world: World, tmp_path: Path) -> None:
    world.provider.spoil = lambda plain: plain.replace(b"sex,ward,age", b"sex,ward,AGE", 1)
    verdict = check(world, delivered(world), tmp_path, Opener())
    assert verdict.finding is Finding.OUTSIDE_SCHEMA
    assert "chunk 0: expected a heading" in verdict.evidence


def test_a_chunk_that_its_key_does_not_open_is_noticed(world: World, tmp_path: Path) -> None:
    world.provider.cheats_on_chunk = 0
    verdict = check(world, delivered(world), tmp_path, Opener())
    assert verdict.finding is Finding.WRONG_KEY
    assert "chunk 0" in verdict.evidence


def test_the_key_of_another_sale_is_noticed(world: World, tmp_path: Path) -> None:
    verdict = check(world, delivered(world), tmp_path, Opener(key=b"x" * 32))
    assert (verdict.finding, verdict.passed) == (Finding.WRONG_KEY, False)


@pytest.mark.parametrize(
    "error", [Refused("expected something else"), Unreachable("not now"), Corrupt("damaged"), Invalid("not so")]
)
def test_a_node_that_says_no_gives_no_answer_and_its_words_are_kept(
    world: World, tmp_path: Path, error: MarketplaceError
) -> None:
    def no(_: bytes) -> bytes:
        raise error

    verdict = check(world, delivered(world), tmp_path, no)  # type: ignore[arg-type]
    assert (verdict.finding, verdict.passed, verdict.chunks) == (Finding.NO_ANSWER, False, (0,))
    assert verdict.evidence == f"the node said: {error}"


def test_a_node_that_stops_answering_after_the_first_chunk_gives_no_answer(world: World, tmp_path: Path) -> None:
    opener = Opener()

    def once(body: bytes) -> bytes:
        if opener.asked:
            raise Refused("expected nobody to look further")
        return opener(body)

    verdict = check(world, delivered(world), tmp_path, once)  # type: ignore[arg-type]
    assert verdict.finding is Finding.NO_ANSWER
    assert len(verdict.chunks) == 4


def test_keys_of_other_chunks_or_of_another_order_are_no_answer(world: World, tmp_path: Path) -> None:
    def shifted(body: bytes) -> bytes:
        request = SignedChunkRequest.decode(body).request
        return ChunkKeys(request.order, {index + 1: chunk_key(KEY, index + 1) for index in request.indices}).encode()

    def foreign(_: bytes) -> bytes:
        return ChunkKeys(OrderId(b"f" * 32), {0: chunk_key(KEY, 0)}).encode()

    order = delivered(world)
    for verb, words in ((shifted, "got those of others"), (foreign, "got those of another")):
        verdict = check(world, order, tmp_path, verb)  # type: ignore[arg-type]
        assert verdict.finding is Finding.NO_ANSWER
        assert words in verdict.evidence


def test_a_node_with_another_certificate_is_told_nothing(world: World, tmp_path: Path) -> None:
    order, opener = delivered(world), Opener()
    provider = world.provider.signer.address
    with (
        answering(tmp_path / "one", provider, world.store, opener) as described,
        answering(tmp_path / "two", provider, world.store, opener, shows=described.certificate) as false,
    ):
        verdict = world.client().spot_check(order, false)
    assert verdict.finding is Finding.NO_ANSWER
    assert "got another, so nothing was sent" in verdict.evidence
    assert opener.asked == []


def test_a_node_that_is_down_gives_no_answer(world: World) -> None:
    order = delivered(world)
    with silent(world.provider.signer.address, world.store) as described:
        verdict = world.client().spot_check(order, described)
    assert verdict.finding is Finding.NO_ANSWER
    assert "expected an answer from https://127.0.0.1:" in verdict.evidence


def test_a_descriptor_that_is_not_the_providers_is_corrupt_before_anything_is_asked(
    world: World, tmp_path: Path
) -> None:
    order, opener = delivered(world), Opener()
    stranger = LocalSigner.random().address
    with (
        answering(tmp_path / "node", stranger, world.store, opener) as described,
        pytest.raises(Corrupt, match="the provider's own descriptor"),
    ):
        world.client().spot_check(order, described)
    with pytest.raises(Unreachable):
        world.client().spot_check(order, Described(bytes(32), bytes(32)))
    assert opener.asked == []


# ------------------------------------------------------------------------------------------------------------ the check alone


def test_a_draw_is_of_different_chunks_with_the_table_and_never_the_first() -> None:
    for below in (2, 3, 9, 100, 10**6):
        drawn = draw(b"s" * 32, 7, below)
        assert len(set(drawn)) == len(drawn) == min(7, below - 1)
        assert all(1 <= index < below for index in drawn)
    assert draw(b"s" * 32, 0, 100) == draw(b"s" * 32, 5, 1) == ()


def test_a_draw_for_more_chunks_begins_with_that_for_fewer() -> None:
    for chunks in range(8):
        assert draw(b"s" * 32, 8, 1_000)[:chunks] == draw(b"s" * 32, chunks, 1_000)


def test_every_chunk_is_drawn_equally_often() -> None:
    counted = Counter(draw(seed.to_bytes(32), 1, 11)[0] for seed in range(5_000))
    assert set(counted) == set(range(1, 11))
    assert all(400 < times < 600 for times in counted.values())


def test_an_inner_file_that_is_none_is_told_apart_from_a_provider_that_cheats(world: World) -> None:
    sampled = Sampled(SCHEMA, ROWS, b"s" * 32)

    def nobody(_: tuple[int, ...]) -> Mapping[int, bytes]:
        raise AssertionError

    for data in (b"", b"agora/inner/1\n", b"agora/inner/1\nabc"):
        with pytest.raises(Corrupt):
            spot_check(io.BytesIO(data), sampled, 4, nobody)
    with pytest.raises(Refused, match="too small"):
        order = world.delivered()
        world.client().receive(order)
        with (world.wallet / order.hex() / INNER).open("rb") as inner:
            spot_check(inner, replace(sampled, rows=40), 4, nobody)


def test_the_most_that_is_opened_follows_from_public_facts() -> None:
    sampled = Sampled(SCHEMA, ROWS, b"s" * 32)
    assert 7 * ROWS // DATA_BYTES // 4 == 8
    assert sampled.most(4_000) == 8
    assert sampled.most(12) == 3
    assert replace(sampled, rows=1_200).most(4_000) == 2
