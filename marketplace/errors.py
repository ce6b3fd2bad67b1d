"""The errors that callers tell apart, sorted by what the caller should do.

MarketplaceError
├── Invalid       what you gave cannot be used           HTTP 422, exit 2
├── Refused       the other side said no; do not retry   HTTP 4xx, exit 3
├── Corrupt       bytes, proofs or records disagree      HTTP 502, exit 4
└── Unreachable   nobody answered; safe to retry         HTTP 503, exit 5

A message says what was expected, what came and what to do, in one line. It never carries a record, a key or a setting.
"""


class MarketplaceError(Exception):
    """Any error that this product raises on purpose."""

    http_status = 500
    exit_code = 1


class Invalid(MarketplaceError):
    """What you gave cannot be used; give something else."""

    http_status = 422
    exit_code = 2


class Refused(MarketplaceError):
    """The other side said no; asking again changes nothing."""

    http_status = 409
    exit_code = 3


class Corrupt(MarketplaceError):
    """Bytes, proofs or records disagree with what was promised."""

    http_status = 502
    exit_code = 4


class Unreachable(MarketplaceError):
    """Nobody answered; it is safe to try again."""

    http_status = 503
    exit_code = 5
