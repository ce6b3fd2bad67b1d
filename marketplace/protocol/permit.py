"""Permits: what an authority lets somebody buy, for which purpose and how long."""

from dataclasses import dataclass, field

from marketplace.protocol.identity import NOBODY, Address


@dataclass(frozen=True)
class Grant:
    """What an authority grants. `purpose`: a code, 0 to 255. `from_s`, `to_s`: the first and the last second of its term.

    `document`: SHA-256 of the decision. `subjects`: ids of the offers or datasets that it is for, 32 bytes each.
    """

    holder: Address
    purpose: int
    from_s: int
    to_s: int
    document: bytes
    subjects: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class PermitStanding:
    """What the ledger keeps of a permit. All zero for one that was never granted; `revoked_at_s` is 0 while it stands."""

    authority: Address
    holder: Address
    purpose: int
    extended: bool
    from_s: int
    to_s: int
    revoked_at_s: int

    @property
    def granted(self) -> bool:
        """Whether there is such a permit."""
        return self.authority != NOBODY
