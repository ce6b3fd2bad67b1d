"""What a process with keys and records in memory lets out of it."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from node.mpc import party
from node.workers import child, count_child

ASK = """
import ctypes, os, resource, sys
from node.memory import keep_private
keep_private()
print(resource.getrlimit(resource.RLIMIT_CORE))
print(oct(os.umask(0)))
if sys.platform == "linux":
    print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_no_core_is_dumped_files_are_the_users_alone_and_nobody_may_look_in() -> None:
    said = subprocess.run([sys.executable, "-c", ASK], check=True, capture_output=True, text=True).stdout
    assert said.splitlines() == ["(0, 0)", "0o77", "0"]


@pytest.mark.parametrize("main", [child.main, count_child.main, party.main])
def test_each_process_with_keys_or_records_keeps_private_before_it_is_told_anything(
    main: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Private(Exception):
        pass

    def kept() -> None:
        raise Private

    for module in (child, count_child, party):
        monkeypatch.setattr(module, "keep_private", kept)
    monkeypatch.setattr(sys, "argv", ["a process", "/nowhere"])
    with pytest.raises(Private):
        main()
