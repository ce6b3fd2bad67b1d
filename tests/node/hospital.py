"""A hospital's node as its people type at it, on a real chain."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from marketplace.ledger.ledger import Ledger
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import Address
from marketplace.settings import Connection
from tests.ledger.fixtures import tell_anvil
from tests.ledger.world import World
from tests.node.examples import SCHEMA, records
from tests.node.terminal import PASSPHRASE, Ended, environment, settle_in, split

MONEY = ("--cost", "9", "--margin", "1.00", "--bond", "5")


@dataclass(frozen=True)
class Hospital:
    """A node's folder that is settled in, with an account that has gas and money, and one dataset and offer."""

    world: World
    home: Path
    connection: Connection
    signer: LocalSigner
    records: Path
    schema: Path
    dataset: str
    offer: str

    def type(self, *arguments: str, **changes: str) -> Ended:
        """`agora-node` with these arguments, the settings changed by `AGORA_*`."""
        return split(arguments, environment(self.home, **changes))

    @property
    def ledger(self) -> Ledger:
        return self.world.ledger


def document(ended: Ended) -> dict[str, object]:
    """The one JSON object that a command printed, having ended well."""
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert isinstance(found, dict)
    return found


def assert_refused(ended: Ended, code: int, *words: str) -> None:
    """Fails unless a command ended in one line that says why, and in nothing else."""
    assert (ended.code, ended.out) == (code, ""), ended
    (line,) = ended.err.splitlines()
    assert line.startswith("error: ")
    for word in words:
        assert word in line
    for hidden in (PASSPHRASE, "hush"):
        assert hidden not in line


def fund(world: World, url: str, address: Address) -> None:
    tell_anvil(url, "anvil_setBalance", address, hex(10**21))
    world.ledger.mint(world.stranger, world.token, address, 10**12)


def open_hospital(world: World, anvil_url: str, folder: Path) -> Hospital:
    """A hospital of its own in `folder`, which is fresh."""
    signer, contract = LocalSigner.random(), world.ledger.domain.contract
    fund(world, anvil_url, signer.address)
    connection = Connection(anvil_url, contract, world.ledger.domain.chain_id, str(folder / "store"))
    settle_in(folder / "node", connection, signer)
    schema = folder / "schema.json"
    schema.write_text(json.dumps(SCHEMA.document()))
    bare = Hospital(world, folder / "node", connection, signer, records(folder / "records.csv"), schema, "", "")
    added = document(bare.type("dataset", "add", *listing(bare), "--total-rho", "100000", "--json"))
    listed = replace(bare, dataset=str(added["dataset"]))
    published = document(listed.type("offer", "publish", *offering(listed), "--epsilon", "1", "--json"))
    return replace(listed, offer=str(published["offer"]))


def listing(hospital: Hospital, **changes: str) -> tuple[str, ...]:
    options = {"schema": str(hospital.schema), "title": "Tests of nobody", "rows": "400", **changes}
    return (str(hospital.records), *(part for name, value in options.items() for part in (f"--{name}", value)))


def offering(hospital: Hospital, **changes: str) -> tuple[str, ...]:
    return (hospital.dataset, "--token", changes.get("token", hospital.world.token), *MONEY)
