"""What passes between parties on the wire: masked numbers that add up, and none before its masks were written down."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Refused
from node.mpc import conversation
from node.mpc.ending import Ended, Reason
from node.mpc.frames import Kind
from node.mpc.masks import Batch, Spent, Tensor
from node.mpc.plan import Limits, Plan
from node.mpc.summing import Summing
from node.mpc.transcript import Transcript
from tests.mpc.hospitals import PATIENT, Hospitals, Identity
from tests.mpc.table import Table, Tapped

WHOLE = st.integers(-(2**63), 2**63 - 1)
TENSOR = Tensor(0, "numbers", 4)


@pytest.fixture
def plans(hospitals: Callable[..., Hospitals], identities: tuple[Identity, ...]) -> list[Plan]:
    return hospitals(3).plans


def seated(plans: list[Plan], folder: Path) -> Table:
    table = Table(plans, folder)
    table.all(lambda _, party: party.greet())
    return table


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(WHOLE, WHOLE, WHOLE), min_size=1, max_size=30))
def test_sums_are_those_of_whole_numbers_modulo_2_to_the_64_whatever_their_size(
    standing: Table, numbers: list[tuple[int, int, int]]
) -> None:
    standing.turn += 1
    tensor = Tensor(standing.turn, "numbers", len(numbers))
    expected = [(sum(row) + 2**63) % 2**64 - 2**63 for row in numbers]
    assert standing.sum(tensor, np.array(numbers, np.int64).T) == [expected] * 3


@pytest.fixture(scope="module")
def standing(identities: tuple[Identity, ...], tmp_path_factory: pytest.TempPathFactory) -> Table:
    folder = tmp_path_factory.mktemp("table")
    made = Hospitals(folder, identities[:3], Limits())
    made.close()
    return seated(made.plans, folder)


def test_what_leaves_is_masked_the_same_for_all_and_adds_up(plans: list[Plan], tmp_path: Path) -> None:
    table = seated(plans, tmp_path)
    tensor, numbers = replace(TENSOR, cells=1000), np.zeros((3, 1000), np.int64)
    assert table.sum(tensor, numbers) == [[0] * 1000] * 3
    sent = {pair: line.sent[0] for pair, line in table.lines.items()}
    for number in range(3):
        first, second = (masked for (sender, _), masked in sent.items() if sender == number)
        assert np.array_equal(first, second)
        ones = np.unpackbits(first.view(np.uint8)).mean()
        assert abs(ones - 0.5) < 7 / np.sqrt(4 * 64 * 1000)  # seven standard errors: 3e-12
        assert len(np.unique(first)) == 1000
    assert not (sent[0, 1] + sent[1, 0] + sent[2, 0]).any()
    assert (sent[0, 1] + sent[1, 0]).all()  # two of three together learn nothing of the third


def test_masks_are_written_down_before_a_number_leaves_and_are_fresh_after_a_start(
    plans: list[Plan], tmp_path: Path
) -> None:
    sent = []
    for start in ("first", "second"):
        (tmp_path / start).mkdir()
        table = seated(plans, tmp_path / start)
        table.sum(TENSOR, np.ones((3, 4), np.int64))
        assert all(line.written for line in table.lines.values())
        assert all(len((own / Spent.FILE).read_text().split()) == 2 for own in table.folders)
        sent.append(table.lines[0, 1].sent[0].tolist())
    assert not set(sent[0]) & set(sent[1])


def test_the_same_tensor_a_second_time_ends_the_order(plans: list[Plan], tmp_path: Path) -> None:
    table = seated(plans, tmp_path)
    table.sum(TENSOR, np.ones((3, 4), np.int64))
    with pytest.raises(Refused, match="second time"):
        table.sum(TENSOR, np.full((3, 4), 2, np.int64))
    assert all(len(line.sent) == 1 for line in table.lines.values())


def test_the_tensors_of_a_batch_are_one_message_under_masks_of_their_own(plans: list[Plan], tmp_path: Path) -> None:
    table = seated(plans, tmp_path)
    tensors = tuple(Tensor(0, name, cells) for name, cells in (("a", 3), ("none", 0), ("b", 4), ("c", 5)))
    found: list[list[int]] = [[], [], []]

    def work(number: int, party: Summing) -> None:
        party.sum(Batch(tensors), lambda count: np.arange(count), lambda sums: found[number].extend(sums.tolist()))

    table.all(work)
    assert found == [list(range(0, 36, 3))] * 3
    assert all(len(line.sent) == 1 and line.written for line in table.lines.values())
    assert all(len(set((own / Spent.FILE).read_text().split())) == 2 * len(tensors) for own in table.folders)
    pair = table.parties[0]._pairs[1]
    alone = np.concatenate([pair.stream(tensor).words(tensor.cells) for tensor in tensors])
    assert np.array_equal(np.concatenate(list(pair.masks(Batch(tensors)))), alone)


def test_a_tensor_that_stands_twice_in_a_batch_ends_the_order_before_anything_leaves(
    plans: list[Plan], tmp_path: Path
) -> None:
    table = seated(plans, tmp_path)
    with pytest.raises(Refused, match="second time"):
        table.all(lambda _, party: party.sum(Batch((TENSOR, TENSOR)), np.zeros, lambda _: None))  # type: ignore[arg-type]
    assert not any(line.sent for line in table.lines.values())


def test_who_was_told_something_else_in_one_round_sends_no_number_of_the_next(
    plans: list[Plan], tmp_path: Path
) -> None:
    table = seated(plans, tmp_path)
    send = Tapped.send

    def one_more(line: Tapped, kind: Kind, payload: bytes | memoryview = b"") -> None:
        other = (np.frombuffer(bytes(payload), "<u8") + np.uint64(1)).tobytes() if kind == Kind.VALUES else payload
        send(line, kind, other)

    table.lines[2, 1].send = one_more.__get__(table.lines[2, 1])  # type: ignore[method-assign]
    assert table.sum(TENSOR, np.ones((3, 4), np.int64)) == [[3] * 4, [4] * 4, [3] * 4]
    for line in table.lines.values():
        line.sent.clear()
    for one in [
        table.pool.submit(party.sum, Batch((replace(TENSOR, round=1),)), lambda count: np.ones(count), lambda _: None)
        for party in table.parties
    ]:
        with pytest.raises(Ended) as raised:
            one.result()
        assert raised.value.reason == Reason.DISAGREED
    assert not any(line.sent for line in table.lines.values())


@pytest.mark.parametrize(("party", "reason"), [(1, Reason.SILENT), (0, Reason.STOPPED)])
def test_whom_a_party_that_ends_names_is_named_by_all_who_hear_it(
    plans: list[Plan], tmp_path: Path, party: int, reason: Reason
) -> None:
    table = seated(plans, tmp_path)
    table.parties[0].abort(Ended(party, reason, 0))
    with pytest.raises(Ended) as raised:
        table.parties[2].sum(Batch((TENSOR,)), lambda count: np.ones(count), lambda _: None)
    assert (raised.value.party, raised.value.reason, raised.value.by) == (party, reason, 0)
    assert not table.lines[2, 1].sent


def test_who_waits_for_one_that_waits_for_a_silent_one_names_the_silent_one(
    plans: list[Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first has heard the third in full, the second has not; the first gives the second up before that gives up the third."""
    monkeypatch.setattr(conversation, "GRACE_S", 6.0)
    table, send = seated(plans, tmp_path), Tapped.send

    def silent(line: Tapped, kind: Kind, payload: bytes | memoryview = b"") -> None:
        if kind != Kind.VALUES:
            send(line, kind, payload)

    def work(number: int, party: Summing) -> Ended:
        with pytest.raises(Ended) as raised:
            for each in range(2):
                party.sum(Batch((replace(TENSOR, round=each),)), lambda count: np.ones(count), lambda _: None)
        party.abort(raised.value)
        return raised.value

    table.lines[2, 1].send = silent.__get__(table.lines[2, 1])  # type: ignore[method-assign]
    for waits, for_whom, stall_s in ((0, 1, 2.0), (1, 2, 5.0)):
        table.parties[waits]._hearing[for_whom]._stall_s = stall_s
    table.pool.submit(table.parties[2].sum, Batch((TENSOR,)), lambda count: np.ones(count), lambda _: None)
    said = [table.pool.submit(work, number, table.parties[number]).result for number in (0, 1)]
    assert [(one().party, one().reason, one().by) for one in said] == [(2, Reason.SILENT, 1)] * 2


def test_a_transcript_holds_for_its_plan_and_all_its_signatures(plans: list[Plan], tmp_path: Path) -> None:
    table = seated(plans, tmp_path)
    table.sum(TENSOR, np.ones((3, 4), np.int64))
    first, second, third = table.all(lambda _, party: party.finish())
    assert first == second == third
    assert isinstance(first, Transcript)
    first.check(plans[0])
    wrong = [
        replace(first, digest=bytes(32)),
        replace(first, signatures=first.signatures[:2]),
        replace(first, signatures=first.signatures[::-1]),
        replace(first, signatures=(b"", *first.signatures[1:])),
    ]
    for transcript in wrong:
        with pytest.raises(Corrupt, match="signature"):
            transcript.check(plans[0])
    with pytest.raises(Corrupt, match="signature"):
        first.check(replace(plans[0], order=bytes(32)))


def test_who_has_heard_all_says_its_own_last_word_though_that_takes_longer_than_who_ends_badly_has(
    plans: list[Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "GRACE_S", 0.0)
    table, third_is_done, send = seated(plans, tmp_path), threading.Event(), Tapped.send

    def late(line: Tapped, kind: Kind, payload: bytes | memoryview = b"") -> None:
        assert third_is_done.wait(PATIENT.stall_s)
        send(line, kind, payload)

    def finish(number: int, party: Summing) -> Transcript:
        found = party.finish()
        if number == 2:
            third_is_done.set()
        return found

    table.lines[0, 1].send = late.__get__(table.lines[0, 1])  # type: ignore[method-assign]
    first, second, third = table.all(finish)
    assert first == second == third


def test_other_sums_have_another_transcript(plans: list[Plan], tmp_path: Path) -> None:
    digests = set()
    for name, tensor in (("a", TENSOR), ("b", TENSOR), ("c", replace(TENSOR, name="others"))):
        (tmp_path / name).mkdir()
        table = seated(plans, tmp_path / name)
        table.sum(tensor, np.ones((3, 4), np.int64))
        digests.add(table.parties[0]._recording.digest())
    assert len(digests) == 3
