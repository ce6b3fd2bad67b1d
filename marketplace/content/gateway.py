"""Blocks from any trustless gateway, for reading only. Nothing that it says is believed before it has been checked.

Source: the Trustless Gateway specification (specs.ipfs.tech/http-gateways/trustless-gateway).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import httpx

from marketplace.content.blocks import MAX_BLOCK_BYTES, BlockStore
from marketplace.content.cid import Cid
from marketplace.content.layout import Block
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable

MAX_REDIRECTS = 3

_GONE = frozenset({404, 410})
_BUSY = frozenset({408, 425, 429})


class GatewayStore(BlockStore):
    """The gateway at `url`, such as `https://gateway.example`; each block may take `timeout_s`.

    It refuses every `put`. Raises `Invalid` if `url` is not one of `http` or `https`.
    """

    reads_at_once = 8

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self._timeout_s = timeout_s
        try:
            base = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise Invalid("expected a gateway's URL, like https://gateway.example, got something else") from error
        if base.scheme not in ("http", "https") or not base.host:
            raise Invalid("expected a gateway's URL that begins with https:// or http://, got another; give the whole")
        headers = {"Accept": "application/vnd.ipld.raw", "Accept-Encoding": "identity"}
        self._client = httpx.Client(
            base_url=base, headers=headers, timeout=timeout_s, follow_redirects=True, max_redirects=MAX_REDIRECTS
        )

    def close(self) -> None:
        """Close the connections to the gateway."""
        self._client.close()

    def get_block(self, cid: Cid) -> bytes:
        data = bytearray()
        give_up = monotonic() + self._timeout_s
        with self._asked("GET", cid) as response:
            if response.status_code != httpx.codes.OK:
                raise _refusal(cid, response.status_code)
            for piece in response.iter_raw():
                data += piece
                if len(data) > MAX_BLOCK_BYTES:
                    raise Corrupt(f"expected at most {MAX_BLOCK_BYTES} bytes in {cid}, got more; use another gateway")
                if monotonic() > give_up:
                    raise Unreachable(f"expected {cid} within {self._timeout_s} s, got only a part; try again")
        return bytes(data)

    def put_block(self, block: Block) -> None:
        raise Refused(f"expected a store to put {block.cid} into, got a gateway; use a directory or an IPFS daemon")

    def has(self, cid: Cid) -> bool:
        with self._asked("HEAD", cid) as response:
            if response.status_code == httpx.codes.OK:
                return True
            if response.status_code in _GONE:
                return False
            raise _refusal(cid, response.status_code)

    def keep(self, root: Cid) -> None:
        """Nothing was put, so there is nothing to keep."""

    @contextmanager
    def _asked(self, method: str, cid: Cid) -> Iterator[httpx.Response]:
        try:
            with self._client.stream(method, f"ipfs/{cid}", params={"format": "raw"}) as response:
                yield response
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # the last: a host that is no name
            raise Unreachable(f"expected a gateway to answer about {cid}, got no answer; try again") from error


def _refusal(cid: Cid, status: int) -> Refused | Unreachable:
    if status in _GONE or status in _BUSY or status >= 500:
        return Unreachable(f"expected the block {cid} from the gateway, got status {status}; try again or another")
    return Refused(f"expected the block {cid} from the gateway, got status {status}; use another gateway")
