"""The two secrets of a sale, made once, journalled encrypted before their first use."""

import os
from dataclasses import dataclass, field

from marketplace.errors import Corrupt
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol.identity import OrderId
from node.journal import Journal, Mark

SECRET_BYTES = 32


@dataclass(frozen=True)
class SaleSecrets:
    """`salts`: behind the salts of the result's chunks. `key`: the sale's own key, public once revealed."""

    salts: bytes = field(repr=False)
    key: bytes = field(repr=False)


def sale_secrets(journal: Journal, box: SecretBox, order: OrderId, at_s: int) -> SaleSecrets:
    """The secrets of `order`: those that stand in the journal, or new ones from the operating system, journalled first."""
    label = b"agora/sale-secrets/1" + order
    entry = journal.last(order, Mark.SECRETS)
    if entry is None:
        fresh = os.urandom(2 * SECRET_BYTES)
        journal.add(order, Mark.SECRETS, box.seal(label, fresh), at_s)
        return SaleSecrets(fresh[:SECRET_BYTES], fresh[SECRET_BYTES:])
    kept = box.open(label, entry.data)
    if len(kept) != 2 * SECRET_BYTES:
        raise Corrupt(
            "expected two secrets of a sale in the journal, got other bytes; restore the journal from its backup"
        )
    return SaleSecrets(kept[:SECRET_BYTES], kept[SECRET_BYTES:])
