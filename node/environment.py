"""Where a result was made: hashes that name the code and everything that it runs on."""

import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path

import marketplace
import node
from marketplace.certificate.certificate import Environment


@cache
def this_environment() -> Environment:
    """The environment of this process. A draw replays bit for bit where all four parts agree, the processor's kind aside."""
    return Environment(
        code=_code(),
        dependencies=_dependencies(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        machine=f"{platform.system()} {platform.machine()}",
    )


def _code() -> str:
    hashed = sha256()
    for package in (marketplace, node):
        root = Path(package.__path__[0])
        for path in sorted((*root.rglob("*.py"), *root.rglob("*.json"))):
            hashed.update(path.relative_to(root.parent).as_posix().encode() + b"\0")
            hashed.update(sha256(path.read_bytes()).digest())
    return hashed.hexdigest()


def _dependencies() -> str:
    installed = sorted({f"{found.metadata['Name']}=={found.version}" for found in distributions()})
    return sha256("\n".join(installed).encode()).hexdigest()
