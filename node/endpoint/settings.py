"""Where a node's endpoint is, from the node's settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from marketplace.errors import Invalid
from marketplace.protocol.descriptor import Place
from marketplace.settings import read_table, text_or_none

ENDPOINT, LISTEN, PARTY, PARTY_LISTEN = "endpoint", "listen", "party", "party_listen"
NAMES = (ENDPOINT, LISTEN, PARTY, PARTY_LISTEN)


@dataclass(frozen=True)
class EndpointSettings:
    """`public`: where others find the endpoint, as its descriptor says. `listen`: where this machine listens for them.

    `party`: where other parties find the node in joint analyses, None where it takes no part; `party_listen`: where this
    machine listens for them.
    """

    public: Place
    listen: Place
    party: Place | None = None
    party_listen: Place | None = None

    def write(self) -> str:
        """The TOML text from which `read_endpoint` gives this back. A place needs no escaping."""
        places = {
            ENDPOINT: self.public,
            LISTEN: self.listen if self.listen != self.public else None,
            PARTY: self.party,
            PARTY_LISTEN: self.party_listen if self.party_listen != self.party else None,
        }
        return "".join(f'{name} = "{place}"\n' for name, place in places.items() if place is not None)


def endpoint_settings(
    endpoint: str | None, listen: str | None, party: str | None = None, party_listen: str | None = None
) -> EndpointSettings | None:
    """The settings that texts as in `node.example:8443` mean; it listens at the public places if nothing else is said.

    None without an endpoint. Raises `Invalid` where a text is no place, or where one is given without what it belongs to.
    """
    if endpoint is None:
        if listen is not None or party is not None:
            raise Invalid(
                "expected the setting endpoint beside listen and party; give the host and port that others are to use"
            )
        return None
    if party is None and party_listen is not None:
        raise Invalid("expected the setting party beside party_listen; give the host and port that parties are to use")
    public, meeting = Place.of_text(endpoint), None if party is None else Place.of_text(party)
    return EndpointSettings(
        public,
        public if listen is None else Place.of_text(listen),
        meeting,
        meeting if party_listen is None else Place.of_text(party_listen),
    )


def read_endpoint(path: Path, environment: Mapping[str, str]) -> EndpointSettings | None:
    """What the TOML file at `path` sets under `NAMES`, overridden by `AGORA_ENDPOINT`, `AGORA_LISTEN` and so on.

    None where no endpoint is set. Raises `Invalid` as `endpoint_settings` does.
    """
    values = read_table(path)
    texts = (environment.get(f"AGORA_{name.upper()}", text_or_none(name, values.get(name))) for name in NAMES)
    return endpoint_settings(*texts)
