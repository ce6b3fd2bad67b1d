"""`scripts/demo`: reads the options, plays the acts that are asked for, shows how they ended."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from marketplace.errors import Refused
from marketplace.terminal import guarded, say, show_json
from scripts.story import ending, joint, joint_ending
from scripts.story.folder import check_out, lay_out
from scripts.story.narration import Narrator
from scripts.story.options import Options, Wishes, split_of, width_of
from scripts.story.play import play
from scripts.story.stage import set_up

SPLIT_PANEL = "Several hospitals"


class MissingSite(StrEnum):
    """What becomes of rows that name no site."""

    REFUSE = "refuse"
    DROP = "drop"


Data = Annotated[Path | None, typer.Option(help="Any CSV or Parquet file; its schema is inferred and shown.")]
Person = Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of --data that tells persons apart.")]
Exclude = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="A column to leave out; may be repeated.")]
Epsilon = Annotated[
    float | None,
    typer.Option(
        help="The most that an order may reveal about one person; 1 in the first act and 3 in the second by default."
    ),
]
Rows = Annotated[int | None, typer.Option(help="Synthetic rows; as many as are declared by default.")]
Site = Annotated[
    str | None,
    typer.Option(
        "--split",
        metavar="COLUMN",
        rich_help_panel=SPLIT_PANEL,
        help="Deal --data to hospitals by this column, and ask them together for survival by --group.",
    ),
]
Duration = Annotated[
    str | None, typer.Option(metavar="COLUMN", rich_help_panel=SPLIT_PANEL, help="The column of times.")
]
Event = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", rich_help_panel=SPLIT_PANEL, help="0 and 1, or 1 and 2 with 2 for the event."),
]
ByGroup = Annotated[
    str | None,
    typer.Option("--group", metavar="COLUMN", rich_help_panel=SPLIT_PANEL, help="Whose curves are compared."),
]
Grid = Annotated[
    str | None,
    typer.Option(metavar="WIDTH", rich_help_panel=SPLIT_PANEL, help="Move times up to the next multiple of it."),
]
Cell = Annotated[
    int | None,
    typer.Option(
        metavar="K",
        rich_help_panel=SPLIT_PANEL,
        help="The smallest cell of the exact answer; 10 unless the file is public.",
    ),
]
Public = Annotated[
    bool,
    typer.Option("--public", rich_help_panel=SPLIT_PANEL, help="Declare the file public data; any cell may be told."),
]
Missing = Annotated[
    MissingSite,
    typer.Option("--missing-site", rich_help_panel=SPLIT_PANEL, help="What to do with rows that name no site."),
]
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
    epsilon: Epsilon = None,
    rows: Rows = None,
    rpc: Rpc = None,
    out: Out = Path("agora-demo"),
    split: Site = None,
    duration: Duration = None,
    event: Event = None,
    group: ByGroup = None,
    grid: Grid = None,
    cell: Cell = None,
    public: Public = False,
    missing_site: Missing = MissingSite.REFUSE,
    as_json: AsJson = False,
) -> None:
    """List real records, sell a synthetic twin of them, deliver it sealed for one buyer, settle, and audit it all.

    Then several hospitals answer one question together, and none sees another's records.

    With --data the first act alone is played, on that file; with --split the second.

    Exit codes: 0 done, 2 invalid input, 3 refused, 4 bytes or proofs disagree, 5 nobody answered.
    """
    started_in = Path(os.environ.get("AGORA_DEMO_FOLDER", ".")).resolve()
    given = started_in / data.expanduser() if data is not None else None
    target = started_in / out.expanduser()
    columns = {"--split": split, "--duration": duration, "--event": event, "--group": group}
    wishes = Wishes(None if grid is None else width_of(grid), cell, public, missing_site is MissingSite.DROP)
    dealt = split_of(given, columns, wishes)
    options = Options(given, person, tuple(exclude or ()), epsilon, rows, rpc, target, as_json, dealt)
    check_out(target)
    narrator = Narrator()
    with _ending_at_sigterm(), tempfile.TemporaryDirectory(prefix="agora-demo-") as folder:
        holds = _play(options, Path(folder), narrator)
    if not holds:
        raise Refused("expected every check to hold, one failed; look at the tables above")
    say(f"Done in {narrator.seconds:.0f} s.")


def _play(options: Options, folder: Path, narrator: Narrator) -> bool:
    """Plays the acts that are asked for, and shows how they ended. Whether every check holds."""
    first = play(options, folder, narrator) if options.split is None else None
    second = None
    if options.data is None or options.split is not None:
        second = joint.perform(
            lambda: set_up(options.rpc, folder) if first is None else first.cast.stage,
            options.split,
            options.answer_epsilon,
            folder / "hospitals",
            narrator,
        )
    lay_out({**(ending.opened(first) if first else {}), **(second.opened if second else {})}, options.out)
    if options.as_json:
        shown = ending.document(first, options.out) if first else {}
        show_json({**shown, **(second.document() if second else {}), "seconds": round(narrator.seconds, 1)})
    else:
        if first is not None:
            ending.show(first, options.out, _agora())
        if second is not None:
            joint_ending.show(second.exact, second.noisy, options.out)
    return (first is None or first.holds) and (second is None or second.holds)


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
