"""The two secrets of a sale, made once, journalled encrypted before their first use."""

import os
from dataclasses import dataclass, field

from marketplace.errors import Corrupt
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol.identity import OrderId
from node.journal import Journal, Mark

SECRET_BYTES = 32
_LABEL = b"agora/sale-secrets/1"


@dataclass(frozen=True)
class SaleSecrets:
    """`salts`: behind the salts of the result's chunks. `key`: the sale's own key, public once revealed."""

    salts: bytes = field(repr=False)
    key: bytes = field(repr=False)


def make_secrets(
    journal: Journal, box: SecretBox, order: OrderId, at_s: int, earlier: OrderId | None = None
) -> SaleSecrets:
    """The secrets of `order`: those that stand in the journal, or new ones from the operating system, journalled first.

    `earlier`: the order whose result is sold again. The salts are that one's then, and the key is new as ever.
    """
    if journal.last(order, Mark.SECRETS) is None:
        salts = os.urandom(SECRET_BYTES) if earlier is None else read_secrets(journal, box, earlier).salts
        journal.add(order, Mark.SECRETS, box.seal(_LABEL + order, salts + os.urandom(SECRET_BYTES)), at_s)
    return read_secrets(journal, box, order)


def read_secrets(journal: Journal, box: SecretBox, order: OrderId) -> SaleSecrets:
    """The secrets of `order` in the journal. Raises `Corrupt` if there are none, or they do not open."""
    entry = journal.last(order, Mark.SECRETS)
    kept = box.open(_LABEL + order, entry.data) if entry else b""
    if len(kept) != 2 * SECRET_BYTES:
        raise Corrupt("expected the two secrets of a sale in the journal, got none; restore it from its backup")
    return SaleSecrets(kept[:SECRET_BYTES], kept[SECRET_BYTES:])
