"""Seconds of each part of the main job on the demo's data: generate, score, seal, open, audit; and of the whole demo.

`python -m scripts.benchmarks.job [--json]`. Plays the demo once, then does each part again by itself in this process.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from marketplace.audit.audit import judge
from marketplace.audit.gathering import gather
from marketplace.buying.documents import delivery_of
from marketplace.buying.fetching import commitment_of
from marketplace.certificate.folder import INNER
from marketplace.keys.sealing import SealingPrivateKey
from marketplace.protocol.description import Description
from marketplace.protocol.specification import Specification
from marketplace.sealing import open_chunks, seal, unseal
from node.evaluation.released import evaluate
from node.noise.stream import NoiseStream
from node.spending import spending_of
from node.synthesis.marginals import PrivateMarginals
from scripts.story.narration import Narrator
from scripts.story.options import Options
from scripts.story.play import Ending, play

Value = TypeVar("Value")


def timed(action: Callable[[], Value]) -> tuple[Value, float]:
    """What one call gives, and its wall time in seconds."""
    start_s = time.monotonic()
    value = action()
    return value, time.monotonic() - start_s


def measure(folder: Path) -> dict[str, float]:
    """Seconds by part. Memory is the largest of this process and of its children, in MiB."""
    options = Options(None, None, (), None, None, None, folder / "out", as_json=False)
    ending, demo_s = timed(lambda: play(options, folder / "demo", Narrator()))
    figures = {**_making(ending), **_sealing(ending, folder)}
    _, figures["audit"] = timed(
        lambda: judge(gather(ending.cast.stage.ledger, ending.cast.stage.store, lambda _: None))
    )
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {**figures, "whole demo": demo_s, "peak_mib": peak / 1024}


def _making(ending: Ending) -> dict[str, float]:
    result = ending.cast.folder / "result"
    description = Description.decode((result / "description.json").read_bytes())
    specification = Specification.decode((result / "specification.json").read_bytes())
    rho_micro = ending.offer.members[0].rho_micro
    node, name = ending.cast.node, ending.listed.snapshot.dataset
    draw = node.vault.draw(ending.order, name, 1, rho_micro)
    noise = NoiseStream(sha256(b"benchmark").digest(), b"benchmark")
    spending, schema, generator = spending_of(rho_micro), description.schema, PrivateMarginals()

    def generate() -> object:
        measured = generator.measure(
            draw.training, schema, specification, spending.generate_micro, noise, _silent, _never
        )
        return generator.synthesise(measured, schema, specification.rows, bytes(32), _silent, _never)

    table, generate_s = timed(generate)
    _, score_s = timed(
        lambda: evaluate(
            draw.training,
            table,
            schema,
            specification,
            description.rows_declared,
            spending.evaluate_micro,
            noise,
            _silent,
            _never,
        )
    )
    return {"generate": generate_s, "score": score_s}


def _sealing(ending: Ending, folder: Path) -> dict[str, float]:
    delivery = delivery_of(ending.cast.client.order(ending.order))
    reader, key, context = SealingPrivateKey(bytes(32)), bytes(range(32)), b"benchmark"
    plain, sealed, inner = folder / "plain", folder / "sealed", folder / "inner"
    with (ending.cast.folder / "result" / INNER).open("rb") as source, plain.open("wb") as out:
        published = ending.cast.client.order(ending.order).key or b""
        open_chunks(source, out, key=published, expected=commitment_of(delivery))
    with plain.open("rb") as source, sealed.open("wb") as out:
        commitment, seal_s = timed(
            lambda: seal(
                source,
                out,
                capacity=delivery.count,
                secret=bytes(32),
                key=key,
                reader=reader.public_key,
                context=context,
            )
        )
    with sealed.open("rb") as source, inner.open("wb") as out:
        _, unseal_s = timed(lambda: unseal(source, out, reader=reader, context=context, expected=commitment))
    with inner.open("rb") as source, plain.open("wb") as out:
        _, open_s = timed(lambda: open_chunks(source, out, key=key, expected=commitment))
    return {"seal": seal_s, "open": unseal_s + open_s}


def _silent(_: str, __: float) -> None:
    """Progress that nobody reads."""


def _never() -> bool:
    return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="job", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agora-bench-") as folder:
        (Path(folder) / "demo").mkdir()
        figures = measure(Path(folder))
    if given.json:
        print(json.dumps(figures))
        return
    print("the demo's data, once        seconds")
    for name, value in figures.items():
        print(f"{name.replace('peak_mib', 'peak memory, MiB'):<24}{value:>12.2f}")


if __name__ == "__main__":
    main()
