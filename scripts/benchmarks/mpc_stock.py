"""The same sums with stock MPyC, three local parties: `python -m scripts.benchmarks.mpc_stock -M3 CELLS...`.

Party 0 prints the seconds of each as one JSON list. No TLS, 32-bit numbers, its arrays: all in its favour.
"""

import json
import sys
import time

import numpy as np
from mpyc.runtime import mpc

SIZES = [int(word) for word in sys.argv[1:] if word.isdigit()]


async def main() -> None:
    kind = mpc.SecInt(32)
    await mpc.start()
    seconds = []
    for cells in SIZES:
        await mpc.barrier("begin")
        begun = time.perf_counter()
        one, two, three = mpc.input(kind.array(np.full(cells, 1 + mpc.pid)))
        sums = await mpc.output(one + two + three)
        seconds.append(time.perf_counter() - begun)
        if not np.array_equal(np.asarray(sums, int), np.full(cells, 6)):
            sys.exit("expected the sums of three parties")
    await mpc.shutdown()
    if mpc.pid == 0:
        print(json.dumps(seconds))


mpc.run(main())
