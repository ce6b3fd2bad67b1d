"""The folder that the demo leaves: whole or not at all, and never in the place of somebody's own files."""

from pathlib import Path

import pytest

from marketplace.certificate.folder import EVIDENCE
from marketplace.errors import Invalid, Refused, Unreachable
from marketplace.protocol import result
from marketplace.protocol.specified import ANALYSIS_FILES
from scripts.story.folder import CERTIFICATE, EXACT, NOISY, OURS, TWIN, Opened, check_out
from scripts.story.folder import lay_out as lay_out_all

CERTIFIED = b'{"format":"agora/certificate/1"}'


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """What a buyer has opened."""
    folder = tmp_path / "made"
    folder.mkdir()
    for name in (*result.NAMES, *ANALYSIS_FILES, *EVIDENCE):
        (folder / name).write_text(f"the {name}")
    return folder


def lay_out(made: Path, certificate: bytes, out: Path) -> None:
    """Lays out a synthetic twin alone."""
    lay_out_all({TWIN: Opened(made, certificate)}, out)


def lay_out_three(made: Path, out: Path) -> None:
    """Lays out all that a demo can leave."""
    lay_out_all({place: Opened(made, CERTIFIED) for place in OURS}, out)


def test_a_new_folder_is_made_with_those_above_it(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "down" / "out"
    lay_out(made, CERTIFIED, out)
    assert {path.name for path in out.iterdir()} == OURS[TWIN]
    assert (out / CERTIFICATE).read_bytes() == CERTIFIED
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_an_empty_folder_is_filled(made: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    lay_out(made, CERTIFIED, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == OURS[TWIN]


def test_what_an_earlier_demo_left_is_replaced(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    lay_out(made, CERTIFIED.replace(b"/1", b"/0"), out)
    (made / result.TABLE).write_text("a later table")
    check_out(out)
    lay_out(made, CERTIFIED, out)
    assert (out / result.TABLE).read_text() == "a later table"
    assert {path.name for path in out.iterdir()} == OURS[TWIN]


def test_answers_lie_in_folders_of_their_own_and_go_when_the_next_demo_has_none(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    lay_out_three(made, out)
    assert {path.name for path in out.iterdir()} == {*OURS[TWIN], EXACT, NOISY}
    assert {path.name for path in (out / NOISY).iterdir()} == OURS[NOISY]
    lay_out_all({EXACT: Opened(made, CERTIFIED)}, out)
    assert [path.name for path in out.iterdir()] == [EXACT]
    lay_out(made, CERTIFIED, out)
    assert {path.name for path in out.iterdir()} == OURS[TWIN]


@pytest.mark.parametrize("change", ["a file more", "a file less", "no folder", "no certificate"])
def test_a_folder_whose_answers_are_not_just_a_demos_is_left_alone(made: Path, tmp_path: Path, change: str) -> None:
    out = tmp_path / "out"
    lay_out_three(made, out)
    match change:
        case "a file more":
            (out / EXACT / "thesis.tex").write_text("three years of work")
        case "a file less":
            (out / NOISY / CERTIFICATE).unlink()
        case "no folder":
            lay_out(made, CERTIFIED, out)
            (out / EXACT).write_text("mine")
        case "no certificate":
            (out / EXACT / CERTIFICATE).write_text("{}")
    before = sorted(out.rglob("*"))
    with pytest.raises(Invalid, match="found other files; give another --out"):
        lay_out_three(made, out)
    assert sorted(out.rglob("*")) == before


@pytest.mark.parametrize(
    "change",
    [
        "one more file",
        "one more folder",
        "one file less",
        "a certificate of others",
        "no certificate",
        "a folder inside",
    ],
)
def test_a_folder_that_is_not_just_a_demos_is_left_alone(made: Path, tmp_path: Path, change: str) -> None:
    out = tmp_path / "out"
    lay_out(made, CERTIFIED, out)
    match change:
        case "one more file":
            (out / "thesis.tex").write_text("three years of work")
        case "one more folder":
            (out / ".git").mkdir()
        case "one file less":
            (out / result.PICTURE).unlink()
        case "a certificate of others":
            (out / CERTIFICATE).write_text('{"format": "pem"}')
        case "no certificate":
            (out / CERTIFICATE).write_text("[]")
        case "a folder inside":
            (out / result.TABLE).unlink()
            (out / result.TABLE).mkdir()
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    for act in (check_out, lambda place: lay_out(made, CERTIFIED, place)):
        with pytest.raises(Invalid, match="found other files; give another --out"):
            act(out)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before


def test_a_file_in_its_place_is_left_alone(made: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(Invalid, match="found a file"):
        check_out(tmp_path / "out")
    with pytest.raises(Invalid, match="found a file"):
        check_out(tmp_path / "out" / "inside")
    assert (tmp_path / "out").read_text() == "mine"


def test_checking_leaves_nothing_behind(tmp_path: Path) -> None:
    check_out(tmp_path / "deep" / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises((Refused, Unreachable)):
        check_out(Path("/proc/out"))


def test_a_disk_that_fills_up_leaves_what_was_there(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    lay_out(made, CERTIFIED, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scripts.story.folder.shutil.copyfile", full)
    with pytest.raises(Unreachable, match="No space left"):
        lay_out(made, CERTIFIED, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "out"]
