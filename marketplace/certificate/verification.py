"""Everything that can be checked of a result without asking anyone: twelve numbered checks, and two more with a ledger."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from marketplace.certificate import agreement
from marketplace.certificate.answers import answer_faults, noise_faults
from marketplace.certificate.certificate import Certificate
from marketplace.certificate.folder import INNER, ResultFolder
from marketplace.certificate.joint import Joint
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.opening import Opening
from marketplace.certificate.scoring import score_parts
from marketplace.certificate.twins import scoring_of, sums_faults, twin_noise_faults, twin_score_faults
from marketplace.errors import Corrupt, Invalid
from marketplace.ledger.ids import Domain
from marketplace.protocol import result
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.check import Check
from marketplace.protocol.description import Description
from marketplace.protocol.identity import Address
from marketplace.protocol.pool import check_twin
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.codes import CodedFrame
from marketplace.scores.constraints import keep_all
from marketplace.scores.links import asked_rows, further_codes, link_faults, main_codes, read_tables
from marketplace.sealing import Commitment, open_chunks
from marketplace.sealing.inner import InnerFile

SENTENCES = {
    1: "The manifest is canonical and of a known format.",
    2: "The certificate is signed by the provider that it names.",
    3: "Description and specification are those that the certificate names.",
    4: "The chunks open with the revealed key to the certificate's plain root and count.",
    5: "The files are those inside the chunks, byte for byte.",
    6: "The table follows the schema and its constraints in every row, and has the rows that were asked for.",
    7: "The stages sum to the rho, and the rho of each covers its sensitivity and noise.",
    8: "Epsilon is what rho and delta imply by the tight conversion, rounded up.",
    9: "Delta is within min(1e-5, 1/(10 n)) for the n rows that the description declares.",
    10: "The promise protects whom the schema says, up to the schema's rows per person.",
    11: "Floors and ceilings follow from the table, and curves' scores from it and the released counts.",
    12: "Thresholds are the specification's and met as it says; attacks are on the generator that it names.",
    13: "The certificate agrees with the order, the offer and the dataset on the ledger.",
    14: "Delivery and key are those on the ledger.",
}
ANALYSIS_SENTENCES = {
    6: "The answers follow from the sums, which are those that the specification asks for.",
    11: "Every party signed the transcript, and the noise is what questions, parties and rho imply.",
}
"""What the checks of the same numbers say of the answers to an analysis."""
TWIN_SENTENCES = {
    6: "The table follows the schema and its constraints in every row, and the sums beside it are those that parties sign for.",
    11: "Every party signed the transcript, each sum's noise covers the privacy unit for its rho, and every score and "
    "curve follows from sums and table.",
}
"""What they say of a synthetic twin of pooled records, or of a split table."""


@dataclass(frozen=True)
class Verification:
    """Who signed the certificate (None: nobody can be told) and the checks. `passed` only if every check could be made."""

    signer: Address | None
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def verify(folder: Path) -> Verification:
    """What can be known of the result in `folder` without a ledger. Raises `Invalid`, naming it, where a file is missing.

    Whether the order was ever placed, and what was charged, only the ledger knows: `verify_against`.
    """
    return _verification(ResultFolder.read(folder))


def verify_against(folder: Path, account: Account, domain: Domain) -> Verification:
    """As `verify`, and compared with the ledger `domain` that `account` was read from."""
    kept = ResultFolder.read(folder)
    alone = _verification(kept)
    return Verification(alone.signer, (*alone.checks, *_ledger_checks(kept, account, domain)))


def _verification(kept: ResultFolder) -> Verification:
    manifest = kept.manifest.value
    if manifest is None:
        rest = tuple(_not_made(number, "the manifest cannot be read") for number in range(2, 13))
        return Verification(None, (_check(1, (kept.manifest.fault,)), *rest))
    certificate = manifest.certificate
    return Verification(
        _signer(manifest),
        (
            _check(1, (), "agora/manifest/1"),
            _check(2, agreement.signature_faults(manifest), certificate.provider),
            _check(3, _document_faults(kept, certificate), certificate.specification.hex()),
            *_chunk_checks(kept, certificate),
            *_table_checks(kept, certificate),
        ),
    )


def _signer(manifest: Manifest) -> Address | None:
    try:
        return agreement.signer_of(manifest)
    except Corrupt:
        return None


def _document_faults(kept: ResultFolder, certificate: Certificate) -> Iterator[str]:
    description, specification = kept.description, kept.specification
    if description.digest != certificate.description:
        yield "the description has another hash"
    if specification.digest != certificate.specification:
        yield "the specification has another hash"
    yield from (document.fault for document in (description, specification) if document.fault)
    if specification.value is not None:
        yield from agreement.specification_faults(certificate, specification.value)


# ------------------------------------------------------------------------------------------------- chunks and files


def _chunk_checks(kept: ResultFolder, certificate: Certificate) -> tuple[Check, Check]:
    try:
        content = _content(kept, certificate)
    except (Corrupt, Invalid) as error:
        return _check(4, (str(error),)), _not_made(5, "the chunks do not open")
    opened = _check(4, (), f"{certificate.count:,} chunks under {certificate.plain_root.hex()}")
    packed = _Sink()
    try:
        result.pack(kept.files, packed, tuple(kept.files))
    except Invalid as error:
        return opened, _check(5, (str(error),))
    faults = () if packed.digest == content else ("the files are not the ones that were delivered",)
    return opened, _check(5, faults, ", ".join(kept.files))


def _content(kept: ResultFolder, certificate: Certificate) -> bytes:
    """SHA-256 of what the chunks hold. Raises `Corrupt` or `Invalid` where they are not as promised."""
    opening = kept.opening.value
    if opening is None:
        raise Corrupt(kept.opening.fault)
    delivery, sink = opening.delivery, _Sink()
    if (delivery.plain_root, delivery.count) != (certificate.plain_root, certificate.count):
        raise Corrupt(
            "expected a delivery of the certificate's plain root and count, got another; fetch the order again"
        )
    if delivery.manifest != kept.manifest.digest:
        raise Corrupt("expected a delivery of this manifest, got that of another; fetch the order again")
    promised = Commitment(delivery.commitment_root, delivery.plain_root, delivery.count, delivery.key_hash)
    with (kept.path / INNER).open("rb") as inner:
        InnerFile(inner).check(promised)
        inner.seek(0)
        open_chunks(inner, sink, key=opening.key, expected=promised)
    return sink.digest


class _Sink(io.BytesIO):
    """Takes bytes and keeps nothing but their hash."""

    def __init__(self) -> None:
        super().__init__()
        self._hash = sha256()
        self._taken = 0

    @property
    def digest(self) -> bytes:
        return self._hash.digest()

    def tell(self) -> int:
        return self._taken

    def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]
        piece = memoryview(data)
        self._hash.update(piece)
        self._taken += piece.nbytes
        return piece.nbytes


# ------------------------------------------------------------------------------------------- the table and its promise


def _table_checks(kept: ResultFolder, certificate: Certificate) -> tuple[Check, ...]:
    description, specification = kept.description.value, kept.specification.value
    privacy = certificate.privacy
    spent = f"{certificate.mechanism.rho_generate_micro:,} + {certificate.mechanism.rho_evaluate_micro:,} micro-rho"
    rho = _check(7, agreement.rho_faults(certificate), spent)
    epsilon = _check(
        8,
        agreement.epsilon_faults(certificate),
        "no differential privacy" if privacy.is_exact else f"epsilon {privacy.epsilon}",
    )
    if description is None or specification is None:
        why = "the description or the specification cannot be read"
        return (_not_made(6, why), rho, epsilon, *(_not_made(number, why) for number in (9, 10, 11, 12)))
    delta = (
        "exact: no delta"
        if privacy.is_exact
        else f"{privacy.delta_atto} / 10^18 for {description.rows_declared:,} rows"
    )
    if isinstance(specification, AnalysisSpecification):
        table, scores = _answer_checks(kept, certificate, description.schema, specification)
    elif certificate.joint is not None:
        table, scores = _twin_checks(kept, certificate, certificate.joint, description.schema, specification)
    else:
        table, scores = _score_checks(kept, certificate, description, specification)
    return (
        table,
        rho,
        epsilon,
        _check(9, agreement.delta_faults(certificate, description), delta),
        _check(10, agreement.unit_faults(certificate, description), privacy.unit),
        scores,
        _check(
            12,
            (*agreement.threshold_faults(certificate, specification), *agreement.attack_faults(certificate)),
            _judged(certificate),
        ),
    )


def _judged(certificate: Certificate) -> str:
    met, figures = sum(judgement.met for judgement in certificate.thresholds), certificate.attacks
    thresholds = f"{met} of {len(certificate.thresholds)} thresholds are met"
    return f"{thresholds}; {len(figures.figures) if figures else 0} public figures of attacks"


def _answer_checks(
    kept: ResultFolder, certificate: Certificate, schema: Schema, specification: AnalysisSpecification
) -> tuple[Check, Check]:
    answers = tuple(answer_faults(kept.files, certificate, specification, schema))
    signed = (*agreement.transcript_faults(certificate), *noise_faults(certificate, specification, schema))
    parties = len(certificate.joint.parties) if certificate.joint else 0
    return (
        _check(6, answers, f"{len(specification.analyses)} analyses", ANALYSIS_SENTENCES),
        _check(11, signed, f"{parties} parties", ANALYSIS_SENTENCES),
    )


def _twin_checks(
    kept: ResultFolder, certificate: Certificate, joint: Joint, schema: Schema, specification: Specification
) -> tuple[Check, Check]:
    mechanism = certificate.mechanism
    signed = [*agreement.transcript_faults(certificate), *agreement.split_faults(certificate)]
    faults = [*sums_faults(kept.files, mechanism)]
    try:
        schema = joint.schema(schema)
        check_twin(specification, schema)
        tables = read_tables(kept.files, schema)
        faults += _row_faults(tables, certificate, schema, specification)
    except (Corrupt, Invalid) as error:
        why = "specification and table do not fit the schema, so scores cannot be told"
        return _check(6, [*faults, str(error)], sentences=TWIN_SENTENCES), _check(
            11, [*signed, why], "", TWIN_SENTENCES
        )
    try:
        scoring = scoring_of(mechanism, schema, specification)
        signed += twin_noise_faults(kept.files, mechanism, joint, schema, scoring)
        signed += twin_score_faults(kept.files, certificate, joint, scoring, main_codes(tables, schema))
    except (Corrupt, Invalid) as error:
        signed.append(str(error))
    return (
        _check(6, faults, f"{specification.rows:,} rows", TWIN_SENTENCES),
        _check(11, signed, f"{len(joint.parties)} parties, {len(certificate.scores)} scores", TWIN_SENTENCES),
    )


def _row_faults(
    tables: Sequence[CodedFrame], certificate: Certificate, schema: Schema, specification: Specification
) -> Iterator[str]:
    codes, made = main_codes(tables, schema), asked_rows(tables, schema)
    yield from link_faults(tables, schema)
    if (certificate.rows, specification.rows) != (made, made):
        yield f"{specification.rows:,} rows were asked for, {made:,} are there"
    columns = {name: codes[name].to_numpy() for name in schema.names}
    if not (right := keep_all(schema, specification.only, columns)).all():
        yield f"{int((~right).sum()):,} rows break a constraint or a condition"


def _score_checks(
    kept: ResultFolder, certificate: Certificate, description: Description, specification: Specification
) -> tuple[Check, Check]:
    schema = description.schema
    try:
        specification.check(schema)
        tables = read_tables(kept.files, schema)
    except (Corrupt, Invalid) as error:
        return _check(6, (str(error),)), _not_made(11, "the table cannot be read")
    codes, made = main_codes(tables, schema), asked_rows(tables, schema)
    rows = _check(6, _row_faults(tables, certificate, schema, specification), f"{made:,} rows")
    try:
        further = further_codes(tables, schema)
        expected = score_parts(codes, further, description, specification, certificate)
    except Corrupt as error:
        return rows, _check(11, (str(error),))
    return rows, _check(11, agreement.score_faults(certificate, expected), ", ".join(expected))


# --------------------------------------------------------------------------------------------------------- the ledger


def _ledger_checks(kept: ResultFolder, account: Account, domain: Domain) -> tuple[Check, Check]:
    manifest, opening = kept.manifest.value, kept.opening.value
    if manifest is None:
        return _not_made(13, "the manifest cannot be read"), _not_made(14, "the manifest cannot be read")
    order = account.orders.get(manifest.certificate.order)
    if order is None:
        faults = ("the ledger has no such order",)
        return _check(13, faults), _check(14, faults)
    found = agreement.disagreements(manifest, account=account, order=order, domain=domain)
    sale = _sale_of(opening, order, account)
    digest = sale.delivery_hash if sale and sale.delivery_hash else b""
    return (
        _check(13, found, f"order {order.id.hex()}"),
        _check(14, () if sale else ("the ledger has another delivery or key",), digest.hex()),
    )


def _sale_of(opening: Opening | None, made: OrderView, account: Account) -> OrderView | None:
    """The order that the delivery with its key was for: the one that the result was made for, or a sale of it as stock."""
    if opening is None:
        return None
    sales = (order for order in account.orders.values() if agreement.made_for(account, order).id == made.id)
    return next((sale for sale in sales if (sale.delivery, sale.key) == (opening.delivery, opening.key)), None)


def _check(number: int, faults: Iterable[str], evidence: str = "", sentences: Mapping[int, str] = SENTENCES) -> Check:
    found = tuple(faults)
    return Check(number, sentences[number], not found, "; ".join(found) if found else evidence)


def _not_made(number: int, why: str) -> Check:
    return Check(number, SENTENCES[number], None, f"not made: {why}")
