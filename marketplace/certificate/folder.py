"""The folder that a buyer keeps: the opened result and beside it what is needed to check it without a ledger."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Generic, TypeVar

from marketplace.certificate.manifest import Manifest
from marketplace.certificate.opening import Opening
from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.description import Description
from marketplace.protocol.result import NAMES
from marketplace.protocol.specified import Specified, names_of, read_specified

MANIFEST, DESCRIPTION, SPECIFICATION = "manifest.json", "description.json", "specification.json"
INNER, DELIVERY = "inner.bin", "delivery.json"
EVIDENCE = (MANIFEST, DESCRIPTION, SPECIFICATION, INNER, DELIVERY)

Value = TypeVar("Value")


@dataclass(frozen=True)
class Document(Generic[Value]):
    """A document's bytes and what they say; `value` is None where they say nothing, and then `fault` says why."""

    data: bytes
    value: Value | None
    fault: str = ""

    @property
    def digest(self) -> bytes:
        """The hash by which others name it."""
        return sha256(self.data).digest()


@dataclass(frozen=True)
class ResultFolder:
    """A result's folder with its documents read. The table, the report, the picture and the inner file stay on disk."""

    path: Path
    manifest: Document[Manifest]
    description: Document[Description]
    specification: Document[Specified]
    opening: Document[Opening]

    @classmethod
    def read(cls, path: Path) -> "ResultFolder":
        """The folder at `path`. Raises `Invalid`, naming it, if a file is missing or cannot be read."""
        if not path.is_dir():
            raise Invalid(f"expected a result's folder, found none at {path.name!r}; give the folder that was fetched")
        for name in EVIDENCE:
            _check_there(path, name)
        kept = cls(
            path,
            manifest=_document(path / MANIFEST, Manifest.decode),
            description=_document(path / DESCRIPTION, Description.decode),
            specification=_document(path / SPECIFICATION, read_specified),
            opening=_document(path / DELIVERY, Opening.decode),
        )
        for name in kept.files:
            _check_there(path, name)
        return kept

    @property
    def files(self) -> dict[str, Path]:
        """The result's own files by name, as specification and description declare them."""
        specified, description, manifest = self.specification.value, self.description.value, self.manifest.value
        joint = manifest is not None and manifest.certificate.joint is not None
        declared = names_of(specified, description.schema, joint=joint) if specified and description else NAMES
        return {name: self.path / name for name in declared}


def _check_there(path: Path, name: str) -> None:
    if not (path / name).is_file():
        raise Invalid(f"expected the file {name} in a result's folder, found none; fetch the order again")


def _document(path: Path, decode: Callable[[bytes], Value]) -> Document[Value]:
    try:
        data = path.read_bytes()
    except OSError:
        raise Invalid(
            f"expected the file {path.name} to be readable; fetch the order again, or change its rights"
        ) from None
    try:
        return Document(data, decode(data))
    except (Corrupt, Invalid) as error:
        return Document(data, None, str(error))
