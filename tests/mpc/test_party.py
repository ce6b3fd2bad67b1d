"""A party's process ends by itself, whatever its node and the others do."""

import subprocess
import sys

from node.mpc.party import FAILED

WATCHED = """
import socket, time
from node.mpc.party import _end_with_the_node
ours, its = socket.socketpair()
_end_with_the_node(its, time.monotonic() + 0.1)
"""


def test_a_process_whose_deadline_is_long_over_ends_though_its_node_is_there_and_silent() -> None:
    done = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (FAILED, b"")
