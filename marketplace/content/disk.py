"""What the operating system says about a disk, in this product's errors."""

import errno
import os

from marketplace.errors import Refused, Unreachable

_FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def explained(error: OSError, what: str) -> Refused | Unreachable:
    """`error`, met while reading or writing `what`, as one of ours.

    `Refused` where nothing may be written or read: asking again changes nothing until a person does. `Unreachable`
    for all else, a full disk among it: nothing was half done, and trying again is safe once there is room.
    """
    reason = os.strerror(error.errno) if error.errno is not None else type(error).__name__
    if error.errno in _FORBIDDEN:
        return Refused(
            f"expected to be allowed to use the disk for {what}, got '{reason}'; give access or another folder"
        )
    if error.errno in _FULL:
        return Unreachable(f"expected room on the disk for {what}, got '{reason}'; free some and try again")
    return Unreachable(f"expected the disk to serve {what}, got '{reason}'; see to it and try again")
