"""Addresses that another implementation gave; vectors.json says which and how."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Vector:
    """The first `size` bytes of the pattern, cut into leaves of `leaf_bytes`, have the address `cid`."""

    leaf_bytes: int
    size: int
    cid: str

    def __str__(self) -> str:
        return f"{self.size} bytes in leaves of {self.leaf_bytes}"


VECTORS = [Vector(**entry) for entry in json.loads(Path(__file__).with_name("vectors.json").read_text())["vectors"]]
