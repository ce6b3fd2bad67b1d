"""Blocks in an IPFS daemon, by its RPC interface (Kubo's `/api/v0`), over `ipfshttpclient`.

The daemon is asked to keep blocks, never to cut files, so that addresses are ours whatever its import settings are.
Source of the commands: Kubo's RPC reference, `block/put`, `block/get`, `pin/add`, `pin/ls`.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import ipfshttpclient  # type: ignore[import-untyped]
from ipfshttpclient import exceptions

from marketplace.content.blocks import MAX_BLOCK_BYTES, BlockStore
from marketplace.content.cid import RAW, Cid
from marketplace.content.layout import Block
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable

PIN_TIMEOUT_S = 600.0

# The client still gives its connection pool an argument that the pool no longer needs, and each user would be told.
warnings.filterwarnings("ignore", "The 'strict' parameter is no longer needed", FutureWarning)


class KuboStore(BlockStore):
    """A store in the daemon at the multiaddress `address`, such as `/ip4/127.0.0.1/tcp/5001`.

    The daemon may be silent for `timeout_s` about a block, in which it may also ask its peers, and for `PIN_TIMEOUT_S`
    while it pins a whole file, which ends a `put`. It is its user's own: nothing that it says about contents is
    believed, but it is not expected to exhaust our memory. Raises `Invalid` if `address` is none.
    """

    reads_at_once = 4
    writes_at_once = 4

    def __init__(self, address: str, *, timeout_s: float = 30.0) -> None:
        try:
            # `connect` would ask for the daemon's version first and refuse every current one.
            self._daemon = ipfshttpclient.Client(address, timeout=timeout_s, session=True)
        except exceptions.AddressError as error:
            raise Invalid(
                "expected the multiaddress of an IPFS daemon, like /ip4/127.0.0.1/tcp/5001, got something else;"
                " `ipfs config Addresses.API` shows it"
            ) from error

    def close(self) -> None:
        """Close the connections to the daemon."""
        self._daemon.close()

    def get_block(self, cid: Cid) -> bytes:
        with _answer_about(cid):
            data = bytes(self._daemon.block.get(cid.text))
        if len(data) > MAX_BLOCK_BYTES:
            raise Corrupt(f"expected at most {MAX_BLOCK_BYTES} bytes in {cid}, got {len(data)}; use another store")
        return data

    def put_block(self, block: Block) -> None:
        # Kubo has a newer name for `format`; this one every daemon understands. `version` is for js-ipfs.
        codec = "raw" if block.cid.codec == RAW else "dag-pb"
        options = {"format": codec, "version": "1", "mhtype": "sha2-256"}
        with _answer_about(block.cid), self._daemon.block.put(BytesIO(block.data), opts=options, stream=True) as answer:
            entries = [entry.as_json() for entry in answer]
        match entries:
            case [{"Key": name}] if name == block.cid.text:
                return
        raise Corrupt(f"expected the daemon to store {block.cid} by that name, got another; check the daemon")

    def has(self, cid: Cid) -> bool:
        with _answer_about(cid):
            try:
                self._daemon.pin.ls(cid.text, type="recursive", return_result=False)
            except exceptions.ErrorResponse as error:
                if "not pinned" in str(error):
                    return False
                raise
        return True

    def keep(self, root: Cid) -> None:
        options = {"offline": True, "timeout": PIN_TIMEOUT_S, "stream": True}
        with _answer_about(root), self._daemon.pin.add(root.text, **options) as answer:
            list(answer)


@contextmanager
def _answer_about(cid: Cid) -> Iterator[None]:
    """What goes wrong between us and the daemon in a request about `cid`, in this product's errors."""
    try:
        yield
    except exceptions.StatusError as error:
        status = getattr(getattr(error.original, "response", None), "status_code", 500)
        if status < 500:
            raise Refused(f"expected the IPFS daemon to serve {cid}, got status {status}; check its address") from error
        raise Unreachable(f"expected the IPFS daemon to serve {cid}, got an error from it; see its log") from error
    except exceptions.TimeoutError as error:
        raise Unreachable(f"expected the IPFS daemon to answer about {cid} in time, got nothing; try again") from error
    except exceptions.EncoderError as error:
        raise Corrupt(f"expected an IPFS daemon's answer about {cid}, got something else; check its address") from error
    except (exceptions.CommunicationError, OSError) as error:
        raise Unreachable(f"expected an IPFS daemon to answer about {cid}, got no connection; start it") from error
