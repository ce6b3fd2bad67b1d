"""Who shows a certificate is its party, whatever it claims. What works against stock MPyC does not work here."""

import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from node.mpc.connecting import MOST_STRANGERS, Network
from node.mpc.ending import Ended, Reason
from node.mpc.gate import naming
from node.mpc.masks import Tensor
from node.mpc.running import PartyProcess
from scripts.ports import take_ports
from tests.mpc.hospitals import ORDER, PASSWORD, PATIENT, Hospitals, Identity, summed

Make = Callable[..., Hospitals]


def whole(number: int, process: PartyProcess) -> list[int]:
    process.ready()
    sums = summed(process, Tensor(0, "x", 2), np.array([1, number]))
    process.finish()
    return sums.tolist()


def test_a_party_with_another_partys_certificate_is_never_the_one_it_claims_to_be(
    hospitals: Make, identities: tuple[Identity, ...]
) -> None:
    made = hospitals(limits=replace(PATIENT, deadline_s=3))
    made.change(0, tls=identities[2].path)
    made.start_all()
    future = made.each(lambda _, process: process.ready())[1]
    with pytest.raises(Ended) as raised:
        future.result()
    assert (raised.value.party, raised.value.reason) == (0, Reason.NOT_REACHED)


def named(address: tuple[str, int]) -> socket.socket:
    """A connection that has said for which order it is."""
    call = socket.create_connection(address)
    call.sendall(naming(ORDER))
    return call


def selectable(calls: list[ssl.SSLSocket]) -> list[ssl.SSLSocket]:
    """Those on which there is something to read, or their end."""
    return select.select(calls, [], [], 300)[0]


def test_who_calls_with_a_partys_certificate_is_that_party_and_takes_no_others_place(
    hospitals: Make, identities: tuple[Identity, ...]
) -> None:
    made = hospitals()
    made.start(1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(identities[2].path, password=PASSWORD)
    address = ("127.0.0.1", made.peers[1].port)
    calls = [context.wrap_socket(named(address)) for _ in range(2)]
    shown_out = next(
        call for call in selectable(calls) if call.recv(1) == b""
    )  # party 2's place, and no other, is taken
    made.start(0)
    made.start(2)
    futures = made.each(lambda _, process: process.ready())
    next(call for call in calls if call is not shown_out).close()
    with pytest.raises(Ended) as raised:
        futures[1].result()
    assert (raised.value.party, raised.value.reason, raised.value.by) == (2, Reason.CUT_OFF, 1)


def test_strangers_end_nothing(hospitals: Make, identities: tuple[Identity, ...]) -> None:
    made = hospitals()
    ports = [peer.port for peer in made.peers]
    made.start(0)
    made.start(1)
    silent = [socket.create_connection(("127.0.0.1", port)) for port in ports[:2]]
    with socket.create_connection(("127.0.0.1", ports[0])) as rude:
        rude.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(identities[4].path, password=PASSWORD)
    with pytest.raises(OSError), context.wrap_socket(named(("127.0.0.1", ports[1]))) as unknown:
        unknown.recv(1)
    made.start(2)
    assert [one.result() for one in made.each(whole).values()] == [[3, 3]] * 3
    for one in silent:
        one.close()


def test_who_keeps_every_place_without_a_word_loses_the_oldest_to_who_comes(
    hospitals: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.mpc.connecting.HANDSHAKE_S", 600.0)
    made, until = hospitals(), time.monotonic() + PATIENT.deadline_s
    networks = [Network(plan, PASSWORD, made.arrivals(plan.own), until) for plan in made.plans]
    silent = [named(("127.0.0.1", made.peers[0].port)) for _ in range(2 * MOST_STRANGERS)]
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(networks[0].connect)
        assert silent[0].recv(1) == b""
        for joined in (first, *(pool.submit(one.connect) for one in networks[1:])):
            sending, hearing = joined.result()
            assert len(sending) == len(hearing) == 2
    late = named(("127.0.0.1", made.peers[0].port))
    late.settimeout(30)
    assert late.recv(1) == b""  # once all are there, nobody waits for anybody
    for one in (late, *silent):
        one.close()


@pytest.mark.parametrize("handshake", ["as it is", "that lets every party through"])
def test_another_party_at_a_partys_place_is_not_that_party(hospitals: Make, handshake: str) -> None:
    made = hospitals(limits=replace(PATIENT, join_s=1.0))
    first, second, third = made.peers
    made.change(1, peers=(replace(first, port=third.port), second, third))
    networks = [
        Network(plan, PASSWORD, made.arrivals(plan.own), time.monotonic() + PATIENT.deadline_s) for plan in made.plans
    ]
    if handshake != "as it is":
        networks[1]._clients[0] = networks[1]._clients[2]
    with ThreadPoolExecutor(3) as pool:
        joined = [pool.submit(one.connect) for one in networks]
        with pytest.raises(Ended) as raised:
            joined[1].result()
    assert (raised.value.party, raised.value.reason) == (0, Reason.NOT_REACHED)


def test_others_are_waited_for_as_long_as_the_plan_says_and_strangers_for_as_long_as_a_handshake_takes(
    hospitals: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.mpc.connecting.HANDSHAKE_S", 0.2)
    made, begun = hospitals(limits=replace(PATIENT, join_s=0.3)), time.monotonic()
    network = Network(made.plans[0], PASSWORD, made.arrivals(0), begun + 60)
    with pytest.raises(Ended) as raised:
        network.connect()
    assert (raised.value.party, raised.value.reason) == (1, Reason.NOT_REACHED)
    assert time.monotonic() - begun < 30
    stranger = named(("127.0.0.1", made.peers[0].port))
    stranger.settimeout(30)
    assert stranger.recv(1) == b""
    stranger.close()


def test_an_older_tls_is_not_spoken_even_with_a_partys_certificate(
    hospitals: Make, identities: tuple[Identity, ...]
) -> None:
    made, until = hospitals(), time.monotonic() + PATIENT.deadline_s
    networks = [Network(plan, PASSWORD, made.arrivals(plan.own), until) for plan in made.plans]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(identities[2].path, password=PASSWORD)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(networks[0].connect)
        with pytest.raises(OSError):
            context.wrap_socket(named(("127.0.0.1", made.peers[0].port)))
        for joined in (first, *(pool.submit(one.connect) for one in networks[1:])):
            assert len(joined.result()[0]) == 2


def test_a_process_ends_with_its_node(hospitals: Make) -> None:
    made = hospitals()
    process = made.start(0)
    process._line.close()
    assert process._child.wait(300) != 0


def test_argv_and_environment_tell_nothing(hospitals: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGORA_RPC", "http://secret")
    made = hospitals()
    made.start_all()
    made.each(lambda _, process: process.ready())[0].result()
    os.kill(made.processes[0].pid, signal.SIGSTOP)
    seen = Path(f"/proc/{made.processes[0].pid}/cmdline").read_bytes().split(b"\0")
    assert seen[1:] == [b"-P", b"-m", b"node.mpc.party", b""]
    assert sorted(path.name for path in (made.folder / "party-0").iterdir()) == ["party.log"]


TELLING = """
import os
print(sorted(os.environ), sorted(os.listdir("/proc/self/fd")), flush=True)
while os.read(0, 4096):
    pass
"""
"""A program that hears its node out, which otherwise may find nobody to talk to."""


def test_a_partys_process_sees_none_of_the_nodes_settings(hospitals: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGORA_PASSPHRASE", "a secret of the node")
    made = hospitals()
    made.start(0, (sys.executable, "-c", TELLING))
    made.processes[0]._line.close()
    assert made.processes[0]._child.wait(300) == 0
    told = (made.folder / "party-0" / "party.log").read_text()
    assert "PATH" in told
    assert "AGORA" not in told
    assert "['0', '1', '2', '3']" in told  # its node, its log, and the folder that lists them


VICTIM = """
import os, sys
from mpyc.runtime import mpc
class Command:
    def __reduce__(self):
        return os.system, ("touch unpickled",)
mpc.run(mpc.start())
mpc.run(mpc.transfer(Command() if mpc.pid == 0 else "greetings"))
"""


def test_against_stock_mpyc_another_partys_certificate_is_enough_to_run_a_command(tmp_path: Path) -> None:
    pytest.importorskip("mpyc")
    certify(tmp_path)
    addresses = [word for port in take_ports(3) for word in ("-P", f"127.0.0.1:{port}")]
    running = []
    for number in range(3):
        shown = 2 if number == 0 else number  # who claims to be party 0 has the certificate of party 2
        folder = tmp_path / f"mpyc-{number}"
        (folder / ".config").mkdir(parents=True)
        (folder / "program.py").write_text(VICTIM)
        for suffix in ("crt", "key"):
            (folder / f".config/party_{number}.{suffix}").write_bytes((tmp_path / f"{shown}.{suffix}").read_bytes())
        (folder / ".config/mpyc_ca.crt").write_bytes((tmp_path / "ca.crt").read_bytes())
        command = [sys.executable, "program.py", "--ssl", "--no-log", f"-I{number}", *addresses]
        running.append(subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
    assert running[1].wait(600) == 0
    assert (tmp_path / "mpyc-1" / "unpickled").exists()
    for process in running:
        process.kill()
        process.wait()


def certify(folder: Path) -> None:
    """An authority's certificate, and one of each party, as stock MPyC wants them."""
    now = datetime.now(UTC)
    authority = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
    for name in ("ca", "0", "1", "2"):
        key = authority if name == "ca" else ec.generate_private_key(ec.SECP256R1())
        common = "an authority" if name == "ca" else f"MPyC party {name}"
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=name == "ca", path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(common)]), critical=False)
            .sign(authority, SHA256())
        )
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.key").write_bytes(private)


def test_a_plan_for_others_certificates_connects_to_nobody(hospitals: Make, identities: tuple[Identity, ...]) -> None:
    """Parties of one process: those that do reach each other have as much time for it as a busy machine needs."""
    made, until = hospitals(limits=replace(PATIENT, join_s=10)), time.monotonic() + PATIENT.deadline_s
    stranger = replace(made.peers[2], fingerprint=identities[3].fingerprint, certificate=identities[3].certificate)
    for number in (0, 1):
        made.change(number, peers=(*made.peers[:2], stranger))
    networks = [Network(plan, PASSWORD, made.arrivals(plan.own), until) for plan in made.plans]
    with ThreadPoolExecutor(3) as pool:
        joined = [pool.submit(one.connect) for one in networks]
        for number in (0, 1):
            with pytest.raises(Ended) as raised:
                joined[number].result()
            assert (raised.value.party, raised.value.reason) == (2, Reason.NOT_REACHED)
