"""Why a provider opened a dataset's next epoch: a public document that the ledger names by its hash."""

from dataclasses import dataclass

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.canonical import LARGEST_INTEGER
from marketplace.protocol.identity import DatasetId
from marketplace.protocol.prose import check_prose

NOUN, VERSION = "epoch-reason", 1
LONGEST_WORDS = 10_000


@dataclass(frozen=True)
class EpochReason:
    """`total_micro`: what `dataset` may reveal in all from then on. `allowance`: how many exact orders the epoch may serve.
    `words`: the reason, which everybody can read for ever; nothing about a person belongs in it."""

    dataset: DatasetId
    total_micro: int
    allowance: int
    words: str

    def __post_init__(self) -> None:
        if len(self.dataset) != 32:
            raise Invalid("expected a dataset's id of 32 bytes in the reason of an epoch; copy it again")
        for number in (self.total_micro, self.allowance):
            if type(number) is not int or not 0 <= number <= LARGEST_INTEGER:
                raise Invalid("expected whole numbers of 0 or more in the reason of an epoch; give smaller ones")
        check_prose(self.words, "the reason of an epoch", LONGEST_WORDS)

    def encode(self) -> bytes:
        """The canonical bytes, whose SHA-256 the ledger names."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "dataset": self.dataset.hex(),
                "total_micro": self.total_micro,
                "allowance": self.allowance,
                "words": self.words,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "EpochReason":
        """The reason in `data`. Raises `Corrupt` where the bytes are none."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            dataset = DatasetId(bytes.fromhex(document["dataset"]))
            reason = cls(dataset, document["total_micro"], document["allowance"], document["words"])
        except (KeyError, TypeError, ValueError, Invalid):
            raise Corrupt("expected the parts of an epoch's reason, got others; ask who made it") from None
        if reason.encode() != data:
            raise Corrupt("expected the parts of an epoch's reason and no more; ask who made it")
        return reason
