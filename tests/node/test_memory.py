"""What a process with keys and records in memory lets out of it."""

import subprocess
import sys

import pytest

ASK = """
import ctypes, resource, sys
from node.memory import keep_private
keep_private()
print(resource.getrlimit(resource.RLIMIT_CORE))
if sys.platform == "linux":
    print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_no_core_is_dumped_and_nobody_may_look_in() -> None:
    said = subprocess.run([sys.executable, "-c", ASK], check=True, capture_output=True, text=True).stdout
    assert said.splitlines() == ["(0, 0)", "0"]
