"""Reading a document's parts, each as the kind of value it must be."""

from collections.abc import Mapping
from typing import Any

from marketplace.errors import Invalid


class Fields:
    """The named parts of one JSON object. Every method raises `Invalid` if the part is missing or of another kind."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def text(self, name: str) -> str:
        value = self._part(name)
        if not isinstance(value, str):
            raise Invalid(f"expected text in {name!r}")
        return value

    def whole(self, name: str) -> int:
        value = self._part(name)
        if type(value) is not int or value < 0:
            raise Invalid(f"expected a whole number of 0 or more in {name!r}")
        return value

    def bytes32(self, name: str) -> bytes:
        return self.some_bytes(name, 32)

    def some_bytes(self, name: str, length: int) -> bytes:
        text = self.text(name)
        try:
            value = bytes.fromhex(text)
        except ValueError:
            value = b""
        if len(value) != length or value.hex() != text:
            raise Invalid(f"expected {length} bytes in lower-case hexadecimal in {name!r}")
        return value

    def inner(self, name: str) -> "Fields":
        return Fields(self.mapping(name))

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self._part(name)
        if not isinstance(value, dict):
            raise Invalid(f"expected an object in {name!r}")
        return value

    def has(self, name: str) -> bool:
        """Whether there is such a part."""
        return name in self._document

    def mapping_or_none(self, name: str) -> Mapping[str, Any] | None:
        return None if self._part(name) is None else self.mapping(name)

    def texts(self, name: str) -> Mapping[str, str]:
        value = self.mapping(name)
        if not all(isinstance(inner, str) for inner in value.values()):
            raise Invalid(f"expected only text inside {name!r}")
        return value

    def mappings(self, name: str) -> list[Mapping[str, Any]]:
        value = self._list(name)
        if not all(isinstance(inner, dict) for inner in value):
            raise Invalid(f"expected a list of objects in {name!r}")
        return value

    def many(self, name: str) -> list["Fields"]:
        return [Fields(inner) for inner in self.mappings(name)]

    def list_of_text(self, name: str) -> list[str]:
        value = self._list(name)
        if not all(isinstance(inner, str) for inner in value):
            raise Invalid(f"expected a list of texts in {name!r}")
        return value

    def _list(self, name: str) -> list[Any]:
        value = self._part(name)
        if not isinstance(value, list):
            raise Invalid(f"expected a list in {name!r}")
        return value

    def _part(self, name: str) -> Any:
        if name not in self._document:
            raise Invalid(f"expected a part {name!r}")
        return self._document[name]
