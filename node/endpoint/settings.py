"""Where a node's endpoint is, from the node's settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from marketplace.errors import Invalid
from marketplace.protocol.descriptor import Place
from marketplace.settings import read_table, text_or_none

ENDPOINT, LISTEN = "endpoint", "listen"
NAMES = (ENDPOINT, LISTEN)


@dataclass(frozen=True)
class EndpointSettings:
    """`public`: where others find the endpoint, as its descriptor says. `listen`: where this machine listens for them."""

    public: Place
    listen: Place

    def write(self) -> str:
        """The TOML text from which `read_endpoint` gives this back. A place needs no escaping."""
        listen = f'{LISTEN} = "{self.listen}"\n' if self.listen != self.public else ""
        return f'{ENDPOINT} = "{self.public}"\n{listen}'


def endpoint_settings(endpoint: str | None, listen: str | None) -> EndpointSettings | None:
    """The settings that two texts as in `node.example:8443` mean; it listens at the public place if nothing else is said.

    None without an endpoint. Raises `Invalid` where a text is no place, or where only `listen` is given.
    """
    if endpoint is None:
        if listen is not None:
            raise Invalid("expected the setting endpoint beside listen; give the host and port that others are to use")
        return None
    public = Place.of_text(endpoint)
    return EndpointSettings(public, public if listen is None else Place.of_text(listen))


def read_endpoint(path: Path, environment: Mapping[str, str]) -> EndpointSettings | None:
    """What the TOML file at `path` sets as `endpoint` and `listen`, overridden by `AGORA_ENDPOINT` and `AGORA_LISTEN`.

    None where no endpoint is set. Raises `Invalid` as `endpoint_settings` does.
    """
    values = read_table(path)
    texts = (environment.get(f"AGORA_{name.upper()}", text_or_none(name, values.get(name))) for name in NAMES)
    return endpoint_settings(*texts)
