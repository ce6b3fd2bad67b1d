"""The folder that the demo leaves behind: new, or in the place of what an earlier demo left there, never of anything else."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from marketplace.certificate.folder import EVIDENCE
from marketplace.content.disk import explained
from marketplace.errors import Invalid
from marketplace.protocol import result
from marketplace.protocol.specified import ANALYSIS_FILES

CERTIFICATE = "certificate.json"
TWIN, EXACT, NOISY = ".", "exact", "dp"
"""Where in the folder the synthetic twin lies, the exact answer of several hospitals, and that with noise."""
OURS: Mapping[str, frozenset[str]] = {
    TWIN: frozenset((*result.NAMES, *EVIDENCE, CERTIFICATE)),
    EXACT: frozenset((*ANALYSIS_FILES, *EVIDENCE, CERTIFICATE)),
    NOISY: frozenset((*ANALYSIS_FILES, *EVIDENCE, CERTIFICATE)),
}


@dataclass(frozen=True)
class Opened:
    """A result that the buyer has opened into `folder`, and its certificate's bytes."""

    folder: Path
    certificate: bytes


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


def lay_out(results: Mapping[str, Opened], out: Path) -> None:
    """Puts what the buyer has into `out`, all of it or nothing. `results`: by their places, at least one.

    Raises as `check_out` does.
    """
    check_out(out)
    with _on_disk(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        waiting = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            for place, opened in results.items():
                (waiting / place).mkdir(exist_ok=True)
                for name in OURS[place] - {CERTIFICATE}:
                    shutil.copyfile(opened.folder / name, waiting / place / name)
                (waiting / place / CERTIFICATE).write_bytes(opened.certificate)
            waiting.chmod(0o755)
            _remove(out)
            waiting.replace(out)
        finally:
            shutil.rmtree(waiting, ignore_errors=True)


def _remove(out: Path) -> None:
    """Removes what an earlier demo left in `out`, and nothing else."""
    for place, names in OURS.items():
        for name in names:
            (out / place / name).unlink(missing_ok=True)
        if place != TWIN:
            with suppress(FileNotFoundError):
                (out / place).rmdir()


def _is_ours(out: Path) -> bool:
    """Whether the folder holds exactly what a demo leaves, each with a certificate of whatever version."""
    found = {path.name for path in out.iterdir()}
    places = [place for place in (EXACT, NOISY) if place in found]
    if found - {EXACT, NOISY}:
        places.append(TWIN)
    return all(
        _is_result(out / place, OURS[place] | (set(places) - {TWIN} if place == TWIN else set())) for place in places
    )


def _is_result(folder: Path, names: frozenset[str]) -> bool:
    if not folder.is_dir() or {path.name for path in folder.iterdir()} != names:
        return False
    if not all((folder / name).is_file() for name in names - {EXACT, NOISY}):
        return False
    try:
        certificate = json.loads((folder / CERTIFICATE).read_bytes())
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
