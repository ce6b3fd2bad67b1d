"""`scripts/demo`: reads the options, plays the main job, shows how it ended."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from marketplace.errors import Invalid, Refused
from marketplace.terminal import guarded, say, show_json
from scripts.story.ending import document, lay_out, show
from scripts.story.narration import Narrator
from scripts.story.options import Options
from scripts.story.play import play


@guarded
def demo(
    data: Annotated[
        Path | None, typer.Option(help="Any CSV or Parquet file; its schema is inferred and shown.")
    ] = None,
    person: Annotated[str | None, typer.Option(help="The column that tells persons apart.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="A column to leave out; may be repeated.")] = None,
    epsilon: Annotated[float, typer.Option(help="The most that the order may reveal about one person.")] = 1.0,
    rows: Annotated[int | None, typer.Option(help="Synthetic rows; as many as are declared by default.")] = None,
    rpc: Annotated[str | None, typer.Option(help="An EVM node, such as Anvil; one in this process by default.")] = None,
    out: Annotated[Path, typer.Option(help="Where to leave what the buyer gets.")] = Path("agora-demo"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """List real records, sell a synthetic twin of them, deliver it sealed for one buyer, settle, and audit it all."""
    started_in = Path(os.environ.get("AGORA_DEMO_FOLDER", "."))
    target = started_in / out
    given = started_in / data if data is not None else None
    options = Options(given, person, tuple(exclude or ()), epsilon, rows, rpc, target, as_json)
    _check(options)
    with tempfile.TemporaryDirectory(prefix="agora-demo-") as folder:
        narrator = Narrator()
        ending = play(options, Path(folder), narrator)
        lay_out(ending, target)
        if as_json:
            show_json(document(ending, target))
        else:
            show(ending, target)
    if not (ending.audit.passed and ending.verification.passed):
        raise Refused("expected every check to hold, one failed; look at the table above")
    say(f"\nDone in {narrator.seconds:.0f} s.")


def _check(options: Options) -> None:
    """Raises `Invalid` for what can be told before anything is set up."""
    if options.rows is not None and options.rows < 1:
        raise Invalid(f"expected 1 row or more, got {options.rows}")
    if options.exclude and options.data is None:
        raise Invalid("expected --exclude together with --data; the records that come along have a declared schema")
    if options.out.exists() and not options.out.is_dir():
        raise Invalid(f"expected a folder at {options.out.name}, found a file; give another --out")
    shutil.rmtree(options.out, ignore_errors=True) if (options.out / "manifest.json").exists() else None


if __name__ == "__main__":
    typer.run(demo)
