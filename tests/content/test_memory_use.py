"""Both ways run in constant memory: measured in a process of its own, with a file of 64 MiB."""

import subprocess
import sys
from pathlib import Path

MEASURE = """
import resource, sys
from pathlib import Path
from marketplace.content.directory import DirectoryStore
from tests.content.pattern import pages

store = DirectoryStore(Path(sys.argv[1]))

def use(size):
    cid = store.put(pages(size))
    assert sum(map(len, store.read(cid))) == size
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

print(use(4 * 2**20), use(64 * 2**20))
"""


def test_a_file_of_64_mib_takes_no_more_memory_than_one_of_4(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parents[2]).stdout
    small, large = map(int, said.split())
    assert large - small < 8 * 2**20
