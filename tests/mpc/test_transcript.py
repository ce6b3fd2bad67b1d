"""A transcript is of all that was said: another key, batch, word or speaker, and it is another."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from node.mpc.masks import Batch, Tensor
from node.mpc.plan import Plan
from node.mpc.transcript import Recording
from tests.mpc.hospitals import Hospitals

KEYS = [bytes([number]) * 32 for number in range(3)]
WORDS = (b"first", b"second", b"third")
TENSORS = (Tensor(0, "a", 1), Tensor(0, "b", 1))


def digest(
    plan: Plan, keys: Sequence[bytes] = KEYS, tensors: Sequence[Tensor] = TENSORS, words: Sequence[bytes] = WORDS
) -> bytes:
    recording = Recording(plan, list(keys))
    recording.open(Batch(tuple(tensors)))
    for party, said in enumerate(words):
        recording.hear(party, memoryview(said))
    return recording.digest()


def test_another_order_key_batch_word_or_speaker_has_another_transcript(hospitals: Callable[..., Hospitals]) -> None:
    plan = hospitals().plans[0]
    found = [
        digest(plan),
        digest(replace(plan, order=b"another order".ljust(32))),
        *(digest(plan, keys=[*KEYS[:at], b"x" * 32, *KEYS[at + 1 :]]) for at in range(3)),
        digest(plan, tensors=TENSORS[:1]),
        digest(plan, tensors=TENSORS[::-1]),
        digest(plan, tensors=(replace(TENSORS[0], round=1), TENSORS[1])),
        *(digest(plan, words=[*WORDS[:at], b"x", *WORDS[at + 1 :]]) for at in range(3)),
        digest(plan, words=WORDS[::-1]),
        digest(plan, words=(b"firsts", b"econd", b"third")),
    ]
    assert len(set(found)) == len(found)
    assert digest(plan) == digest(replace(plan, own=1))
