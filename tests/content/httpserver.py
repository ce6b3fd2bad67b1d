"""A real HTTP server on a loopback port whose answers a test chooses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep

from marketplace.content import Cid


@dataclass(frozen=True)
class Answer:
    """What the server says: a body, a status, and headers beside or instead of the ones that HTTP needs.

    Before each byte of the body it waits `pause_s`, if that is not 0.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause_s: float = 0


@contextmanager
def serving(answer: Callable[[str], Answer]) -> Iterator[str]:
    """Serve `answer(path)` to every request; gives the server's URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = answer(self.path)
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            try:
                self.say(said)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            self.do_GET()

        def say(self, said: Answer) -> None:
            for piece in [said.body] if said.pause_s == 0 else map(int.to_bytes, said.body):
                sleep(said.pause_s)
                self.wfile.write(piece)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def blocks_at(place: Callable[[Cid], Path]) -> Callable[[str], Answer]:
    """A trustless gateway that gives whatever bytes are in the file at the `place` of a block."""

    def answer(path: str) -> Answer:
        if not path.startswith("/ipfs/") or not path.endswith("?format=raw"):
            return Answer(status=400)
        file = place(Cid.parse(path.removeprefix("/ipfs/").removesuffix("?format=raw")))
        if not file.is_file():
            return Answer(status=404)
        return Answer(file.read_bytes(), headers={"Content-Type": "application/vnd.ipld.raw"})

    return answer
