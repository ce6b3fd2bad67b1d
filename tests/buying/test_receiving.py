"""Fetching a delivery: it goes on where it stopped, and everything is checked before anything is accepted."""

import io
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from marketplace.buying.fetching import OBJECT, commitment_of
from marketplace.buying.receiving import CHECKED, LOCK
from marketplace.certificate.certificate import Certificate
from marketplace.certificate.folder import DESCRIPTION, INNER, MANIFEST, SPECIFICATION
from marketplace.certificate.manifest import Manifest
from marketplace.content.cid import Cid
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import DatasetId, OfferId, OrderId
from marketplace.protocol.order import Delivery
from marketplace.protocol.states import OrderState
from tests.buying.provider import HandMadeProvider
from tests.buying.world import SEED, World

LASTING = {MANIFEST, DESCRIPTION, SPECIFICATION, INNER, CHECKED, LOCK}


def files(world: World, order: OrderId) -> set[str]:
    return {path.name for path in (world.wallet / order.hex()).iterdir()}


def object_cid(delivery: Delivery) -> Cid:
    return Cid(delivery.object, delivery.object_codec)


def test_a_delivery_is_received_whole_and_nothing_else_stays(world: World) -> None:
    order = world.delivered()
    received = world.client().receive(order)
    assert received.manifest.certificate.order == order
    assert received.inner.read_bytes().startswith(b"agora/inner/1\n")
    assert files(world, order) == LASTING


def test_progress_is_told(world: World) -> None:
    world.client().receive(world.delivered(), world.said.append)
    assert [line.split()[0] for line in world.said] == ["downloading", "checking"]


def test_receiving_before_the_delivery_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="expected a delivery, the order is Placed"):
        world.client().receive(world.place())


def test_an_unknown_order_is_invalid(world: World) -> None:
    with pytest.raises(Invalid, match="id of a placed order"):
        world.client().receive(OrderId(bytes(32)))


def test_receiving_twice_downloads_once(world: World) -> None:
    order = world.delivered()
    world.client().receive(order)
    before = world.store.served.copy()
    world.client().receive(order)
    cid = object_cid(world.client().order(order).delivery)  # type: ignore[arg-type]
    assert world.store.served[cid] == before[cid]


def test_an_interrupted_download_goes_on_and_fetches_no_leaf_twice(world: World) -> None:
    order = world.delivered()
    root = object_cid(world.provider.view(order).delivery)  # type: ignore[arg-type]
    for _ in range(40):
        world.store.answers = 6
        try:
            world.client().receive(order)
        except Unreachable:
            continue
        break
    world.store.answers = None
    leaves = {cid: times for cid, times in world.store.served.items() if len(world.store.get_block(cid)) > 100_000}
    assert len(leaves) >= 3
    assert set(leaves.values()) == {1}
    assert world.store.served[root] > 2
    assert files(world, order) == LASTING


@pytest.mark.parametrize("left", ["nothing", "part of the object", "the object", "an inner file that breaks off"])
def test_a_fetch_that_was_killed_goes_on_from_whatever_it_left(world: World, left: str) -> None:
    order = world.delivered()
    whole = world.client().receive(order).inner.read_bytes()
    delivery = world.provider.view(order).delivery
    assert delivery is not None
    sealed = b"".join(world.store.read(object_cid(delivery)))
    folder = world.wallet / order.hex()
    for path in folder.iterdir():
        path.unlink()
    if left == "part of the object":
        (folder / OBJECT).write_bytes(sealed[: len(sealed) // 2])
    elif left == "the object":
        (folder / OBJECT).write_bytes(sealed)
        (folder / (SPECIFICATION + ".part")).write_bytes(b"{")
    elif left == "an inner file that breaks off":
        (folder / OBJECT).write_bytes(sealed)
        (folder / (INNER + ".part")).write_bytes(whole[:5_000])
    assert world.client().receive(order).inner.read_bytes() == whole
    assert files(world, order) >= LASTING


@pytest.mark.parametrize("damage", ["altered", "longer", "zeros"])
def test_what_was_damaged_on_our_own_disk_is_fetched_anew_and_blames_nobody(world: World, damage: str) -> None:
    order = world.delivered()
    delivery = world.provider.view(order).delivery
    assert delivery is not None
    sealed = b"".join(world.store.read(object_cid(delivery)))
    kept = {
        "altered": bytes([sealed[9_000] ^ 1]).join((sealed[:9_000], sealed[9_001:20_000])),
        "longer": sealed + b"more",
        "zeros": bytes(len(sealed)),
    }[damage]
    folder = world.wallet / order.hex()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / OBJECT).write_bytes(kept)
    world.client().receive(order)
    assert files(world, order) == LASTING


def test_an_inner_file_that_was_damaged_later_is_fetched_anew(world: World) -> None:
    order = world.delivered()
    inner = world.client().receive(order).inner
    whole = inner.read_bytes()
    inner.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert world.client().receive(order).inner.read_bytes() == whole


def test_two_fetches_of_one_order_at_once_are_refused(world: World) -> None:
    import fcntl

    order = world.delivered()
    folder = world.wallet / order.hex()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Refused, match="another is at work"):
            world.client().receive(order)


# ------------------------------------------------------------------------------------- what the provider may have done


def test_an_object_that_the_store_altered_is_corrupt_and_names_its_address(world: World) -> None:
    order = world.delivered()
    delivery = world.provider.view(order).delivery
    assert delivery is not None
    leaf = max(world.store._blocks, key=lambda cid: len(world.store._blocks[cid]))
    data = world.store.get_block(leaf)
    world.store.replace(leaf, data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(Corrupt, match=leaf.text):
        world.client().receive(order)
    world.store.replace(leaf, data)
    assert world.client().receive(order).inner.exists()


def test_an_object_that_is_not_there_is_unreachable(world: World) -> None:
    order = world.delivered()
    delivery = world.provider.view(order).delivery
    assert delivery is not None
    world.store.replace(object_cid(delivery), None)
    with pytest.raises(Unreachable):
        world.client().receive(order)


@pytest.mark.parametrize("cut", ["truncated", "extended", "swapped"])
def test_another_object_than_was_committed_to_is_corrupt_and_leaves_nothing_to_accept(world: World, cut: str) -> None:
    first = world.delivered()
    honest = world.provider.view(first).delivery
    assert honest is not None
    order = world.place()
    made = world.provider.deliver
    sealed = b"".join(world.store.read(object_cid(honest)))

    def record(of: OrderId, cid: Cid, manifest: bytes, commitment: object) -> Delivery:
        own = b"".join(world.store.read(cid))
        other = {"truncated": own[:-1], "extended": own + b"\0", "swapped": sealed}[cut]
        return HandMadeProvider.record(world.provider, of, world.store.put(io.BytesIO(other)), manifest, commitment)  # type: ignore[arg-type]

    world.provider.record = record  # type: ignore[method-assign]
    made(order)
    with pytest.raises((Corrupt, Invalid)):
        world.client().receive(order)
    assert not {INNER, CHECKED, OBJECT, INNER + ".part"} & files(world, order)
    with pytest.raises(Refused, match="fetched and checked"):
        world.client().accept(order)


def test_an_object_sealed_for_another_manifest_is_corrupt(world: World) -> None:
    order = world.place()
    world.provider.deliver(order, context=b"another order and manifest")
    with pytest.raises(Corrupt):
        world.client().receive(order)
    assert CHECKED not in files(world, order)


def changed(provider: HandMadeProvider, field: str) -> Callable[[Manifest], Manifest]:
    """What a provider does that signs a certificate with one wrong part."""
    other = sha256(b"another").digest()
    stranger = LocalSigner.random().address

    def change(manifest: Manifest) -> Manifest:
        certificate: Certificate = manifest.certificate
        privacy, mechanism = certificate.privacy, certificate.mechanism
        changes: dict[str, object] = {
            "order": OrderId(other),
            "offer": OfferId(other),
            "provider": stranger,
            "dataset": DatasetId(other),
            "version": certificate.version + 1,
            "commitment": other,
            "description": other,
            "specification": other,
            "plain_root": other,
            "count": certificate.count + 1,
            "rows": certificate.rows + 1,
            "privacy.unit": replace(privacy, unit="one household"),
            "privacy.rows_per_person": replace(privacy, rows_per_person=privacy.rows_per_person + 1),
            "privacy.rho_micro": replace(privacy, rho_micro=privacy.rho_micro - 1),
            "privacy.delta_atto": replace(privacy, delta_atto=privacy.delta_atto + 1),
            "privacy.epsilon": replace(privacy, epsilon="0.100000"),
            "mechanism.generate": replace(mechanism, generate=mechanism.generate[1:]),
        }
        return provider.resigned(manifest, **{field.partition(".")[0]: changes[field]})

    return change


FIELDS = (
    "order", "offer", "provider", "dataset", "version", "commitment", "description", "specification", "plain_root",
    "count", "rows", "privacy.unit", "privacy.rows_per_person", "privacy.rho_micro", "privacy.delta_atto",
    "privacy.epsilon", "mechanism.generate",
)  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_a_certificate_with_one_wrong_part_is_corrupt_and_cannot_be_accepted(world: World, field: str) -> None:
    order = world.place()
    world.provider.deliver(order, changed(world.provider, field))
    with pytest.raises(Corrupt, match="reject the delivery"):
        world.client().receive(order)
    assert not {INNER, CHECKED, OBJECT} & files(world, order)
    with pytest.raises(Refused):
        world.client().accept(order)


@pytest.mark.parametrize("part", ["chain_id", "contract"])
def test_a_manifest_for_another_ledger_is_corrupt(world: World, part: str) -> None:
    order = world.place()
    other = {"chain_id": 1, "contract": LocalSigner.random().address}[part]
    world.provider.deliver(order, lambda manifest: replace(manifest, **{part: other}))  # type: ignore[arg-type]
    with pytest.raises(Corrupt, match="reject the delivery"):
        world.client().receive(order)


def test_a_certificate_signed_by_somebody_else_is_corrupt(world: World) -> None:
    order = world.place()
    forged = replace(world.provider, signer=LocalSigner.random())
    world.provider.deliver(order, lambda manifest: forged.resigned(manifest))
    with pytest.raises(Corrupt, match="not by its provider"):
        world.client().receive(order)


def test_a_manifest_that_is_none_is_corrupt(world: World) -> None:
    order = world.place()
    honest = world.place()
    made = world.provider.deliver(honest)
    nonsense = world.store.put([b"no manifest"])
    world.provider.record(order, object_cid(made), nonsense.digest, commitment_of(made))
    with pytest.raises(Corrupt, match="agora/manifest/1"):
        world.client().receive(order)


# ---------------------------------------------------------------------------------------------------------- the wallet


def test_a_lost_sealing_seed_says_plainly_that_the_result_is_lost(world: World) -> None:
    order = world.delivered()
    stranger = world.client(seed=b"another seed of another wallet..")
    for act in (stranger.check_key, stranger.receive):
        with pytest.raises(Invalid, match="without it the result is lost") as raised:
            act(order)
        assert SEED.hex() not in str(raised.value)
    assert INNER not in files(world, order)


def test_a_restored_wallet_needs_the_seed_alone(world: World) -> None:
    order = world.revealed()
    for path in (world.wallet / order.hex()).iterdir():
        path.unlink()
    world.client().receive(order)
    assert world.client().open(order, world.wallet / "out")


def test_a_specification_that_the_store_lost_is_still_in_the_wallet(world: World) -> None:
    order = world.delivered()
    world.store.replace(Cid.raw(world.provider.view(order).order.specification), None)
    assert world.client().receive(order).inner.exists()


def test_a_specification_that_was_damaged_in_the_wallet_comes_from_the_store(world: World) -> None:
    order = world.delivered()
    kept = world.wallet / order.hex() / SPECIFICATION
    whole = kept.read_bytes()
    kept.write_bytes(b"{}")
    world.client().receive(order)
    assert kept.read_bytes() == whole


def test_the_wallet_is_for_its_owner_alone(world: World) -> None:
    order = world.delivered()
    world.client().receive(order)
    assert (world.wallet / order.hex()).stat().st_mode & 0o077 == 0


def test_a_wallet_that_cannot_be_written_is_no_traceback(world: World) -> None:
    order = world.delivered()
    folder = world.wallet / order.hex()
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("a file in the way")
    with pytest.raises((Refused, Unreachable), match="expected"):
        world.client().receive(order)


# ----------------------------------------------------------------------------------------------------------- accepting


def test_accepting_names_the_delivery_that_was_checked(world: World) -> None:
    order = world.delivered()
    client = world.client()
    client.receive(order)
    receipt = client.accept(order)
    assert receipt is not None
    assert receipt.function == "accept"
    assert client.order(order).state is OrderState.ACCEPTED
    recorded = client.order(order).delivery_hash
    assert recorded is not None
    assert (world.wallet / order.hex() / CHECKED).read_text() == recorded.hex()


def test_accepting_another_delivery_than_was_checked_is_corrupt(world: World) -> None:
    order = world.delivered()
    client = world.client()
    client.receive(order)
    (world.wallet / order.hex() / CHECKED).write_text(sha256(b"of another history").hexdigest())
    with pytest.raises(Corrupt, match="fetch the delivery again"):
        client.accept(order)
    assert client.order(order).state is OrderState.DELIVERED


def test_accepting_unchecked_is_refused(world: World) -> None:
    order = world.delivered()
    with pytest.raises(Refused, match="fetched and checked before it is accepted"):
        world.client().accept(order)


def test_a_damaged_note_of_what_was_checked_is_corrupt(world: World) -> None:
    order = world.delivered()
    world.client().receive(order)
    (world.wallet / order.hex() / CHECKED).write_bytes(b"\xff")
    with pytest.raises(Corrupt, match="fetch the order again"):
        world.client().accept(order)


def test_accepting_twice_sends_one_transaction(world: World) -> None:
    order = world.accepted()
    blocks = world.ledger.head_block()
    assert world.client().accept(order) is None
    world.provider.reveal(order)
    assert world.client().accept(order) is None
    assert world.ledger.head_block() == blocks + 1


def test_only_the_buyer_accepts(world: World) -> None:
    order = world.delivered()
    stranger = world.client(signer=world.ledger.account())
    stranger.receive(order)
    with pytest.raises(Refused, match="buyer"):
        stranger.accept(order)
