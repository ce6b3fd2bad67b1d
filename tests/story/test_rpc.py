"""The main job on a ledger behind an RPC endpoint, with the node as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from scripts.story.folder import EXACT, NOISY
from tests.commands.market import environment
from tests.ledger.fixtures import anvil_url, tell_anvil
from tests.story.joint import check_joint
from tests.story.running import ROOT, call, good_rows, run, write_csv
from tests.story.test_demo import check_agreement, check_narration, check_shape

__all__ = ["anvil_url"]


def test_the_main_job_runs_on_anvil(anvil_url: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "mine.csv", good_rows())
    ran = run("--rpc", anvil_url, "--data", "mine.csv", "--json", "--out", "out", cwd=tmp_path)
    shown = ran.json()
    check_shape(shown)
    check_agreement(shown, tmp_path / "out", 1.0)
    check_narration(ran.err)
    assert "behind the RPC endpoint" in ran.err
    assert {path.name for path in tmp_path.iterdir()} == {"mine.csv", "out"}


@pytest.mark.slow
def test_the_records_that_come_along_are_sold_on_anvil(anvil_url: str, tmp_path: Path) -> None:
    shown = run("--rpc", anvil_url, "--json", cwd=tmp_path).json()
    check_shape(shown)
    check_agreement(shown, tmp_path / "agora-demo", 1.0)


@pytest.mark.slow
def test_several_hospitals_answer_together_on_anvil(anvil_url: str, tmp_path: Path) -> None:
    choices = Random(5)
    patients = [
        [f"clinic {n % 3}", choices.randint(1, 90), choices.randrange(2), choices.choice("ab")] for n in range(150)
    ]
    write_csv(tmp_path / "mine.csv", [["clinic", "days", "died", "arm"], *patients])
    asked = ("--split", "clinic", "--duration", "days", "--event", "died", "--group", "arm", "--public")
    shown = run("--rpc", anvil_url, "--data", "mine.csv", *asked, "--json", "--out", "out", cwd=tmp_path).json()
    check_joint(shown["analysis"], tmp_path / "out" / EXACT, 3)
    check_joint(shown["analysis_dp"], tmp_path / "out" / NOISY, 3)


def test_a_run_that_is_told_to_end_leaves_no_folder_and_no_node(anvil_url: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "mine.csv", good_rows())
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.story", "--rpc", anvil_url, "--data", "mine.csv", "--out", "out"],
        cwd=ROOT,
        env=environment({"AGORA_DEMO_FOLDER": str(tmp_path), "TMPDIR": str(tmp_path)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    assert any("began its one draw" in line for line in lines)
    process.send_signal(signal.SIGTERM)
    rest = process.communicate(timeout=300)[1]
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "stopped; start again to go on"
    assert {path.name for path in tmp_path.iterdir()} == {"mine.csv"}
    assert not processes_in(tmp_path)


def processes_in(folder: Path) -> list[str]:
    """What still runs over `folder`."""
    found = []
    for _ in range(600):
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        found = [line for line in listed.splitlines() if str(folder) in line]
        if not found:
            break
        time.sleep(0.1)
    return found


def test_a_ledger_that_is_down_is_unreachable(tmp_path: Path) -> None:
    write_csv(tmp_path / "mine.csv", good_rows())
    ran = call("--rpc", "http://user:hunter2@127.0.0.1:1", "--data", "mine.csv", cwd=tmp_path)
    assert ran.code == 5
    assert "RPC endpoint" in ran.error()
    assert "hunter2" not in ran.err
    assert {path.name for path in tmp_path.iterdir()} == {"mine.csv"}


def test_an_account_without_ether_cannot_deploy(
    anvil_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "mine.csv", good_rows())
    (tmp_path / "key").write_text(os.urandom(32).hex())
    monkeypatch.setenv("AGORA_DEMO_KEY_FILE", str(tmp_path / "key"))
    ran = call("--rpc", anvil_url, "--data", "mine.csv", cwd=tmp_path)
    assert ran.code == 3
    assert "AGORA_DEMO_KEY_FILE" in ran.error()


@pytest.mark.parametrize("content", [b"", b"not a key", b"ab" * 31, b"\xff"])
def test_a_key_file_that_holds_no_key_is_invalid(
    anvil_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    write_csv(tmp_path / "mine.csv", good_rows())
    (tmp_path / "key").write_bytes(content)
    monkeypatch.setenv("AGORA_DEMO_KEY_FILE", str(tmp_path / "key"))
    ran = call("--rpc", anvil_url, "--data", "mine.csv", cwd=tmp_path)
    assert ran.code == 2
    assert "ledger key" in ran.error()


def test_another_account_with_ether_deploys(anvil_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from marketplace.ledger.signer import LocalSigner
    from scripts.story.stage import set_up

    signer = LocalSigner.random()
    tell_anvil(anvil_url, "anvil_setBalance", signer.address, hex(10**20))
    (tmp_path / "key").write_text("0x" + signer.key.hex() + "\n")
    monkeypatch.setenv("AGORA_DEMO_KEY_FILE", str(tmp_path / "key"))
    stage = set_up(anvil_url, tmp_path)
    assert stage.treasury.address == signer.address
    assert stage.from_block > 0
