"""Keeping what this process has in memory, keys and records, from everybody but its user."""

import ctypes
import os
import resource
import sys

_PR_SET_DUMPABLE = 4


def keep_private() -> None:
    """From now on no core dump of this process is made, its files are its user's alone, and on Linux no other process of the
    same user may look into it.

    Source: prctl(2), PR_SET_DUMPABLE, which also holds where a program receives the dumps and limits do not count.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
