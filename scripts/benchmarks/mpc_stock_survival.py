"""Kaplan-Meier with log-rank written on stock MPyC's arrays: `python -m scripts.benchmarks.mpc_stock_survival -M3`.

The same records, hospitals and time grid as `scripts.story.hospitals`. Counts stay shared; each group's hazards and the
parts of the test are opened. Party 0 prints seconds, survival at the last point by group, and chi-square as one JSON object.
No TLS: in its favour. Source of the test: Mantel 1966.
"""

import json
import time
from typing import Any

import numpy as np
from mpyc.runtime import mpc

from scripts.benchmarks.mpc_survival import leaving, parts

KIND: Any = mpc.SecFxp(48, 24)
"""As many bits before the point as after it: with fewer its division gives 0."""


async def main() -> None:
    counts = leaving(parts()[mpc.pid]).astype(float)
    await mpc.start()
    await mpc.barrier("begin")
    begun = time.perf_counter()
    gone = sum(mpc.input(KIND.array(counts[:, :, 0] + counts[:, :, 1], integral=True)))
    dead = sum(mpc.input(KIND.array(counts[:, :, 1], integral=True)))
    points = np.tril(np.ones((gone.shape[1], gone.shape[1])))
    at_risk = gone @ points
    some = at_risk + mpc.np_equal(at_risk, 0)
    hazards = np.asarray(await mpc.output(dead / some), float)
    everyone, all_dead = at_risk[0] + at_risk[1], dead[0] + dead[1]
    several = everyone + mpc.np_equal(everyone, 0)
    share = at_risk[0] / several
    beside = everyone - 1
    several_beside = beside + mpc.np_less(beside, 1) * 2
    spread = all_dead * (everyone - all_dead) / several_beside
    excess = mpc.np_sum(dead[0] - all_dead * share)
    variance = mpc.np_sum(spread * share * (1 - share))
    excess, variance = float(await mpc.output(excess)), float(await mpc.output(variance))
    seconds = time.perf_counter() - begun
    await mpc.shutdown()
    if mpc.pid == 0:
        survival = np.prod(1 - hazards[:, :-1], axis=1).tolist()
        print(json.dumps({"seconds": seconds, "survival": survival, "chi_square": excess**2 / variance}))


mpc.run(main())
