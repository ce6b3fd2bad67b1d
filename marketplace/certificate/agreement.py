"""Whether a certificate agrees with itself, with the documents that it names and with the ledger: pure comparisons.

Each function says in words what does not agree, such as `its plain root is not the delivery's`; nothing means that all
of it does. Buyer, auditor and `agora verify` ask the same ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from marketplace.certificate.certificate import NO_EPSILON, NO_PROMISE, Certificate, Stage
from marketplace.certificate.epsilon import quoted_epsilon
from marketplace.certificate.joint import assumptions
from marketplace.certificate.manifest import Manifest
from marketplace.errors import Corrupt, Invalid
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.ids import Domain
from marketplace.ledger.signatures import certificate_signer
from marketplace.protocol.account import Account, DatasetView, OrderView
from marketplace.protocol.analysis_lane import Lane
from marketplace.protocol.crossing import Side
from marketplace.protocol.description import Description
from marketplace.protocol.identity import Address
from marketplace.protocol.offer import Kind, Offer
from marketplace.protocol.rho import DELTA_UNIT, LARGEST_DELTA_ATTO
from marketplace.protocol.specified import Specified, rows_of, thresholds_of
from marketplace.protocol.states import OrderState
from marketplace.protocol.unit import PrivacyUnit
from marketplace.scores.thresholds import judge

Faults = tuple[str, ...]


def disagreements(
    manifest: Manifest,
    *,
    account: Account,
    order: OrderView,
    domain: Domain,
    description: Description | None = None,
    specification: Specified | None = None,
) -> Faults:
    """Everything that is wrong with the manifest of a delivery on `order`, as far as it can be known from what is given.

    `account` holds the order's offer and its dataset; `domain` is the ledger that the account was read from. A sale of
    stock has the manifest of the order that its result was made for, whose documents these are then.
    """
    certificate, made = manifest.certificate, made_for(account, order)
    offer = account.offer_of(made)
    dataset = account.datasets.get(certificate.dataset)
    return (
        *signature_faults(manifest),
        *ledger_faults(manifest, domain, made, offer, dataset),
        *(_delivery_faults(manifest, order) if made.id != order.id else ()),
        *joint_faults(certificate, account, made),
        *transcript_faults(certificate),
        *split_faults(certificate),
        *rho_faults(certificate),
        *attack_faults(certificate),
        *epsilon_faults(certificate),
        *((*delta_faults(certificate, description), *unit_faults(certificate, description)) if description else ()),
        *(
            (*specification_faults(certificate, specification), *threshold_faults(certificate, specification))
            if specification
            else ()
        ),
    )


def made_for(account: Account, order: OrderView) -> OrderView:
    """The order that the result of `order` was made for: itself, or the earlier one where its offer sells stock.

    Raises `Corrupt` where offers name each other, as none on a ledger can.
    """
    for _ in range(len(account.orders) + 1):
        origin = account.offers[order.order.offer].origin
        if origin is None:
            return order
        order = account.orders[origin]
    raise Corrupt("expected stock of an earlier order, got offers that name each other; read the ledger again")


@dataclass(frozen=True)
class Committed:
    """A result that is sold again: its plain root, and the number of the block in which it was first delivered."""

    plain_root: bytes
    block: int


def committed_at(account: Account, order: OrderView) -> Committed | None:
    """Since when the stock that `order` is sold has been committed to; None for a result that was made for it.

    Raises as `made_for`, and `Corrupt` where the earlier order has no delivery.
    """
    made = made_for(account, order)
    if made.id == order.id:
        return None
    delivered = made.at(OrderState.DELIVERED)
    if made.delivery is None or delivered is None:
        raise Corrupt("expected a delivery on the order that a stock was made for; read the ledger again")
    return Committed(made.delivery.plain_root, delivered.position.block)


def signer_of(manifest: Manifest) -> Address:
    """Who signed the manifest's certificate. Raises `Corrupt` where contract or signature are none."""
    try:
        domain = Domain(manifest.chain_id, checksummed(manifest.contract))
    except Invalid as error:
        raise Corrupt(f"expected a manifest that names a contract: {error}") from None
    document = sha256(manifest.certificate.encode()).digest()
    return certificate_signer(domain, manifest.certificate.order, document, manifest.signature)


def signature_faults(manifest: Manifest) -> Faults:
    """Whether somebody else than the provider that the certificate names signed it."""
    try:
        signer = signer_of(manifest)
    except Corrupt as error:
        return (f"its signature is none: {error}",)
    return () if signer == manifest.certificate.provider else (f"it is signed by {signer}, not by its provider",)


def rho_faults(certificate: Certificate) -> Faults:
    """Where the stages do not make up the rho, or a stage costs more than it says."""
    mechanism, rho_micro = certificate.mechanism, certificate.privacy.rho_micro
    faults = [
        f"its stage {stage.name[:60]!r} costs more than its rho"
        for stage in (*mechanism.generate, *mechanism.evaluate)
        if not _is_covered(stage)
    ]
    if certificate.privacy.is_exact:
        return tuple(faults)
    spent_micro = mechanism.rho_generate_micro + mechanism.rho_evaluate_micro
    if spent_micro > rho_micro or (spent_micro < rho_micro and certificate.joint is None):
        faults.append(f"its stages sum to {spent_micro} micro-rho, its rho is {rho_micro}")
    return tuple(faults)


def epsilon_faults(certificate: Certificate) -> Faults:
    """Whether the epsilon is not the one that rho and delta imply by the tight conversion, rounded up; of an exact result,
    whether it says in words that nothing is promised."""
    privacy = certificate.privacy
    if privacy.is_exact:
        said = (privacy.epsilon, privacy.assumptions) == (NO_EPSILON, NO_PROMISE)
        return () if said else ("it is exact and does not say that it carries no differential privacy",)
    if not 0 < privacy.delta_atto < DELTA_UNIT:
        return ("its delta does not lie between 0 and 1",)
    expected = quoted_epsilon(privacy.rho_micro, privacy.delta_atto)
    return (
        () if privacy.epsilon == expected else (f"its epsilon is {privacy.epsilon[:20]!r}, its rho implies {expected}",)
    )


def is_delta_small(delta_atto: int, rows_declared: int) -> bool:
    """Whether a delta lies above 0 and within min(1e-5, 1/(10 n)) for the declared number of rows n."""
    return 0 < delta_atto <= LARGEST_DELTA_ATTO and delta_atto * 10 * rows_declared <= DELTA_UNIT


def delta_faults(certificate: Certificate, description: Description) -> Faults:
    """Whether the delta is too large for so many rows."""
    if certificate.privacy.is_exact or is_delta_small(certificate.privacy.delta_atto, description.rows_declared):
        return ()
    return (f"its delta is not within min(1e-5, 1/(10 n)) for {description.rows_declared} rows",)


def unit_faults(certificate: Certificate, description: Description) -> Faults:
    """Where the promise is not about whom the description says."""
    schema, privacy, joint = description.schema, certificate.privacy, certificate.joint
    unit = schema.unit if joint is None or privacy.is_exact else joint.unit.of(schema.unit)
    pairs = (("unit", privacy.unit, unit), ("rows per person", privacy.rows_per_person, schema.rows_per_person))
    faults = tuple(f"its {name} is not the schema's" for name, ours, theirs in pairs if ours != theirs)
    if joint is not None and not privacy.is_exact and privacy.assumptions != assumptions(joint.unit):
        return (*faults, "its assumptions are not those of its privacy unit")
    return faults


def transcript_faults(certificate: Certificate) -> Faults:
    """Which parties' signatures are not under the transcript of this order."""
    joint = certificate.joint
    unsigned = joint.unsigned(certificate.order, certificate.specification) if joint else ()
    return tuple(f"party {number} has not signed its transcript" for number in unsigned)


def split_faults(certificate: Certificate) -> Faults:
    """Where its lane and what it says of a split table's sides do not go with each other or with its parties."""
    joint = certificate.joint
    split = joint.split if joint else None
    if joint is None or (split is None) != (joint.lane != Lane.CROSSING.value):
        return () if joint is None else ("its lane is not that of its table",)
    if split is None:
        return ()
    if len(split.sides) != len(joint.parties) or set(split.sides) != set(Side):
        return ("its sides are not those of its parties",)
    lead = {
        side for party, side in zip(joint.parties, split.sides, strict=True) if party.dataset == certificate.dataset
    }
    faults = [] if lead == {Side.LEFT} else ["its lead is not at the left"]
    if joint.unit is not PrivacyUnit.PERSON:
        faults.append("its privacy unit is not that of matched persons")
    right = {p.description for p, side in zip(joint.parties, split.sides, strict=True) if side is Side.RIGHT}
    if sha256(split.right.encode()).digest() not in right:
        faults.append("what it says of the right side is no description of a party there")
    return tuple(faults)


def specification_faults(certificate: Certificate, specification: Specified) -> Faults:
    """Where the result is not what the specification asked for."""
    pairs = (("offer", certificate.offer, specification.offer), ("rows", certificate.rows, rows_of(specification)))
    return tuple(f"its {name} is not the specification's" for name, ours, theirs in pairs if ours != theirs)


def threshold_faults(certificate: Certificate, specification: Specified) -> Faults:
    """Whether its thresholds are not the specification's, or are not met as it says."""
    expected = judge(thresholds_of(specification), certificate.scores)
    return () if certificate.thresholds == expected else ("its thresholds do not follow from specification and scores",)


def attack_faults(certificate: Certificate) -> Faults:
    """Whether its figures of attacks are of another generator."""
    attacks, mechanism = certificate.attacks, certificate.mechanism
    if attacks is None or (attacks.figures and attacks.generator == f"{mechanism.name}/{mechanism.version}"):
        return ()
    return ("its figures of attacks are none, or of another generator",)


def score_faults(certificate: Certificate, expected: Mapping[str, Mapping[str, str]]) -> Faults:
    """Where parts of its scores are not those that were computed again, which `expected` has by score and part."""
    given = {score.name: score.document() for score in certificate.scores}
    faults = [f"{name} is missing or one too many" for name in sorted(given.keys() ^ expected.keys())]
    for name in given.keys() & expected.keys():
        wrong = [part for part, value in expected[name].items() if given[name][part] != value]
        faults += [f"{name} has another {' and '.join(wrong)}"] if wrong else []
    if len(given) < len(certificate.scores):
        faults.append("a score is there twice")
    return tuple(faults)


def ledger_faults(
    manifest: Manifest, domain: Domain, order: OrderView, offer: Offer, dataset: DatasetView | None
) -> Faults:
    """Where the manifest is not about this order of this offer on this dataset, as the ledger has them."""
    certificate = manifest.certificate
    member = next((member for member in offer.members if member.dataset == certificate.dataset), None)
    faults = [*_order_faults(manifest, domain, order, offer), *_delivery_faults(manifest, order)]
    if member is None or dataset is None or dataset.id != certificate.dataset:
        return (*faults, "its dataset is not the offer's")
    return (*faults, *_member_faults(certificate, order, offer, offer.members.index(member), dataset))


def _is_covered(stage: Stage) -> bool:
    try:
        return stage.rho_micro >= stage.cost_micro()
    except Invalid:
        return False


def _order_faults(manifest: Manifest, domain: Domain, order: OrderView, offer: Offer) -> Iterator[str]:
    certificate = manifest.certificate
    pairs = (
        ("chain is not the ledger's", manifest.chain_id, domain.chain_id),
        ("contract is not the ledger's", manifest.contract, domain.contract),
        ("order is another", certificate.order, order.id),
        ("offer is not the order's", certificate.offer, order.order.offer),
        ("specification is not the order's", certificate.specification, order.order.specification),
        ("delta is not the offer's", certificate.privacy.delta_atto, offer.head.delta_atto),
    )
    yield from (f"its {words}" for words, ours, theirs in pairs if ours != theirs)


def _delivery_faults(manifest: Manifest, order: OrderView) -> Iterator[str]:
    if order.delivery is None:
        yield "its order has no delivery"
        return
    certificate, delivery = manifest.certificate, order.delivery
    pairs = (
        ("hash", sha256(manifest.encode()).digest(), delivery.manifest),
        ("plain root", certificate.plain_root, delivery.plain_root),
        ("count", certificate.count, delivery.count),
    )
    yield from (f"its {name} is not the delivery's" for name, ours, theirs in pairs if ours != theirs)


def _member_faults(
    certificate: Certificate, order: OrderView, offer: Offer, index: int, dataset: DatasetView
) -> Iterator[str]:
    member, version = offer.members[index], order.order.version(index)
    if certificate.provider != member.provider:
        yield "its provider is not the dataset's"
    promised_micro = offer.head.unit.promised_micro([each.rho_micro for each in offer.members])
    charged_micro = promised_micro if certificate.joint else member.rho_micro
    if certificate.privacy.rho_micro != charged_micro:
        yield f"its rho is {certificate.privacy.rho_micro} micro-rho, the offer charged {charged_micro}"
    if certificate.version != version or not 1 <= version <= len(dataset.versions):
        yield "its version is not the order's"
        return
    named = dataset.versions[version - 1]
    if certificate.commitment != named.commitment:
        yield "its commitment to the records is not the version's"
    if certificate.description != named.description:
        yield "its description is not the version's"


def joint_faults(certificate: Certificate, account: Account, order: OrderView) -> Iterator[str]:
    """Where the parties are not the offer's members as the order names them, or one of them has not signed the transcript."""
    joint, offer = certificate.joint, account.offer_of(order)
    if joint is None:
        if offer.head.kind is Kind.ANALYSIS or len(offer.members) > 1:
            yield "it names no parties"
        return
    if joint.unit is not offer.head.unit:
        yield "its privacy unit is not the offer's"
    if len(joint.parties) != len(offer.members):
        yield "its parties are not the offer's members"
        return
    for number, (party, member) in enumerate(zip(joint.parties, offer.members, strict=True)):
        dataset, version = account.datasets[member.dataset], order.order.version(number)
        named = dataset.versions[version - 1] if 1 <= version <= len(dataset.versions) else None
        said = (party.provider, party.dataset, party.rho_micro, party.version)
        if said != (member.provider, member.dataset, member.rho_micro, version):
            yield f"its party {number} is not the offer's member, as the order names it"
        if named is None or (party.commitment, party.description) != (named.commitment, named.description):
            yield f"party {number}'s records are not those of the order's version"
        known = account.providers.get(party.provider)
        if known is None or party.fingerprint not in {said.certificate for said in known.descriptors}:
            yield f"party {number}'s TLS certificate was never named on the ledger"
