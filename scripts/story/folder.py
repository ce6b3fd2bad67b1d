"""The folder that the demo leaves behind: new, or in the place of what an earlier demo left there, never of anything else."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from marketplace.certificate.folder import EVIDENCE
from marketplace.content.disk import explained
from marketplace.errors import Invalid
from marketplace.protocol import result

CERTIFICATE = "certificate.json"
OURS = frozenset((*result.NAMES, *EVIDENCE, CERTIFICATE))


def check_out(out: Path) -> None:
    """Raises `Invalid` unless `out` is absent, an empty folder or what a demo left, `Refused` or `Unreachable` where
    nothing can be written there. Leaves nothing behind."""
    with _on_disk(out):
        nearest = next(place for place in (out, *out.parents) if place.exists())
        if not nearest.is_dir():
            raise Invalid(f"expected a folder at {nearest.name!r}, found a file; give another --out")
        if nearest == out and any(out.iterdir()) and not _is_ours(out):
            raise Invalid(
                f"expected an empty folder or what an earlier demo left at {out.name!r}, found other files; "
                "give another --out"
            )
        Path(tempfile.mkdtemp(prefix=".agora-", dir=nearest)).rmdir()


def lay_out(result_folder: Path, certificate: bytes, out: Path) -> None:
    """Puts what the buyer has into `out`, all of it or nothing. Raises as `check_out` does."""
    check_out(out)
    with _on_disk(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        waiting = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            for name in (*result.NAMES, *EVIDENCE):
                shutil.copyfile(result_folder / name, waiting / name)
            (waiting / CERTIFICATE).write_bytes(certificate)
            waiting.chmod(0o755)
            for name in OURS if out.exists() else ():
                (out / name).unlink(missing_ok=True)
            waiting.replace(out)
        finally:
            shutil.rmtree(waiting, ignore_errors=True)


def _is_ours(out: Path) -> bool:
    """Whether the folder holds exactly what a demo leaves, a certificate of whatever version among it."""
    if {path.name for path in out.iterdir()} != OURS or not all(path.is_file() for path in out.iterdir()):
        return False
    try:
        certificate = json.loads((out / CERTIFICATE).read_bytes())
    except ValueError:
        return False
    named = certificate.get("format") if isinstance(certificate, dict) else None
    return isinstance(named, str) and named.startswith("agora/certificate/")


@contextmanager
def _on_disk(out: Path) -> Iterator[None]:
    """What the disk refuses, in this product's errors."""
    try:
        yield
    except OSError as error:
        raise explained(error, f"the folder {out.name!r}") from None
