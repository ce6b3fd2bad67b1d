"""`scripts/demo`: reads the options, plays the main job, shows how it ended."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from marketplace.errors import Refused
from marketplace.terminal import guarded, say, show_json
from scripts.story.ending import certificate_of, document, show
from scripts.story.folder import check_out, lay_out
from scripts.story.narration import Narrator
from scripts.story.options import Options
from scripts.story.play import play

Data = Annotated[Path | None, typer.Option(help="Any CSV or Parquet file; its schema is inferred and shown.")]
Person = Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of --data that tells persons apart.")]
Exclude = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="A column to leave out; may be repeated.")]
Epsilon = Annotated[float, typer.Option(help="The most that the order may reveal about one person.")]
Rows = Annotated[int | None, typer.Option(help="Synthetic rows; as many as are declared by default.")]
Rpc = Annotated[str | None, typer.Option(help="An EVM node, such as Anvil; one in this process by default.")]
Out = Annotated[Path, typer.Option(help="Where to leave what the buyer gets.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
@guarded
def demo(
    data: Data = None,
    person: Person = None,
    exclude: Exclude = None,
    epsilon: Epsilon = 1.0,
    rows: Rows = None,
    rpc: Rpc = None,
    out: Out = Path("agora-demo"),
    as_json: AsJson = False,
) -> None:
    """List real records, sell a synthetic twin of them, deliver it sealed for one buyer, settle, and audit it all.

    Exit codes: 0 done, 2 invalid input, 3 refused, 4 bytes or proofs disagree, 5 nobody answered.
    """
    started_in = Path(os.environ.get("AGORA_DEMO_FOLDER", ".")).resolve()
    given = started_in / data.expanduser() if data is not None else None
    target = started_in / out.expanduser()
    options = Options(given, person, tuple(exclude or ()), epsilon, rows, rpc, target, as_json)
    check_out(target)
    with _ending_at_sigterm(), tempfile.TemporaryDirectory(prefix="agora-demo-") as folder:
        ending = play(options, Path(folder), Narrator())
        lay_out(Path(folder) / "result", certificate_of(ending).encode(), target)
        if as_json:
            show_json(document(ending, target))
        else:
            show(ending, target, _agora())
    if not (ending.audit.passed and ending.verification.passed):
        raise Refused("expected every check to hold, one failed; look at the tables above")
    say(f"Done in {ending.cast.say.seconds:.0f} s.")


def _agora() -> str:
    """How to call `agora` from here: by its name where it is on the PATH, or else beside this Python."""
    beside = Path(sys.executable).with_name("agora")
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return "agora" if str(beside.parent) in folders else str(beside)


@contextmanager
def _ending_at_sigterm() -> Iterator[None]:
    """SIGTERM ends what is inside as the keyboard would, so that the node stops and the folders go."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    app(prog_name="scripts/demo")
