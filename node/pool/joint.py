"""An order that several nodes answer together, with all that it refers to, as each of them reads it before it decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from marketplace.certificate.joint import Halves
from marketplace.content.store import ContentStore
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.protocol.account import Account, DatasetView, OrderView, Version
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_lane import Lane
from marketplace.protocol.crossing import Side
from marketplace.protocol.description import Description
from marketplace.protocol.identity import NOTHING, Address
from marketplace.protocol.offer import Guarantee, Kind, Member, Offer
from marketplace.protocol.pool import TWIN_THRESHOLD, answered_as, rows_in_pool, split_of, together_micro
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.protocol.specified import Specified, read_specified, result_bytes
from marketplace.protocol.split import buckets_for, coincidences_of
from marketplace.sealing import capacity_for
from node.commission import read_document
from node.files import make_folder, write_whole
from node.mpc.joint import Questions
from node.twin.extent import extent_of
from node.twin.pooled import PooledTwin
from node.twin.split import Split
from node.twin.vertical import VerticalTwin
from node.workers.job import Job, JointJob, Name

LARGEST_RIGHT_BYTES = 2**17
"""Of a description that stands in a certificate."""
SUM_BYTES, SUMS_BYTES = 21, 2**16
"""What a sum takes in its document at most: 20 signs and a space; and the rest of the document, names and archive."""


def is_joint(offer: Offer) -> bool:
    """Whether the nodes of an offer's members answer its orders together: analyses, and new twins of pooled records."""
    kind, is_new = offer.head.kind, offer.head.stock == NOTHING
    return kind is Kind.ANALYSIS or (kind is Kind.SYNTHETIC and len(offer.members) > 1 and is_new)


@dataclass(frozen=True)
class Source:
    """A member's dataset behind an order: the version that the order names, and that version's description."""

    member: Member
    dataset: DatasetView
    version: Version
    description: Description


@dataclass(frozen=True)
class JointCommission:
    """An order of a pooled offer. `sources`: of every member, in the offer's order; this node's is that at `index`.

    A party's number is its place among them.
    """

    order: OrderView
    offer: Offer
    index: int
    sources: tuple[Source, ...]
    specification: Specified

    @property
    def own(self) -> Source:
        """This node's part of it."""
        return self.sources[self.index]

    @property
    def schema(self) -> Schema:
        """The schema of this node's records, and of everybody's on its side where the order is let in."""
        return self.own.description.schema

    @property
    def split(self) -> Split | None:
        """The split table of which the members declare a side each; None of any other order. Raises as `split_of`, and
        `Invalid` for a description of the right side that no certificate could hold."""
        if isinstance(self.specification, AnalysisSpecification):
            return None
        found = split_of(self.offer, self.schemas)
        if found is None:
            return None
        rows = [source.description.rows_declared for source in self.sources]
        buckets = buckets_for(max(rows))
        met = coincidences_of(buckets, rows, found.sides)
        split = Split(found.left, found.right, found.sides, buckets, met)
        if len(self._right(split).encode()) > LARGEST_RIGHT_BYTES:
            raise Invalid(
                f"expected a description of at most {LARGEST_RIGHT_BYTES} bytes at the right; shorten its words"
            )
        return split

    def _right(self, split: Split) -> Description:
        return self.sources[split.sides.index(Side.RIGHT)].description

    @property
    def halves(self) -> Halves | None:
        """What the certificate says of a split table. Raises as `split`."""
        split = self.split
        return None if split is None else Halves(split.sides, self._right(split))

    @property
    def table(self) -> Schema:
        """What the rows of the result have. Raises as `split`."""
        split = self.split
        return self.schema if split is None else split.joined

    @property
    def threshold(self) -> int:
        """How many dishonest parties the noise is sized against."""
        asked = self.specification
        return asked.threshold if isinstance(asked, AnalysisSpecification) else TWIN_THRESHOLD

    @property
    def rho_micro(self) -> int:
        """What all that is opened may cost the privacy unit that the offer states."""
        return together_micro(self.offer)

    @property
    def schemas(self) -> tuple[Schema, ...]:
        """What every member declares of its records, in order."""
        return tuple(source.description.schema for source in self.sources)

    @property
    def smallest_cell(self) -> int | None:
        """Of an exact order, the fewest persons that a number in its answer may count."""
        return self.specification.smallest_cell if isinstance(self.specification, AnalysisSpecification) else None

    @property
    def lane(self) -> Lane:
        """How the parties compute. Raises `Invalid` for a smallest cell that cannot be, and as `split`."""
        asked = self.specification
        if isinstance(asked, AnalysisSpecification):
            return asked.lane(self.offer.head.guarantee)
        return Lane.SUMS if self.split is None else Lane.CROSSING

    @property
    def is_exact(self) -> bool:
        """Whether no noise is in what is opened."""
        return self.offer.head.guarantee is Guarantee.EXACT

    @property
    def matches(self) -> bool:
        """Whether persons of several parties are matched by their identifiers."""
        asked = self.specification
        return asked.links if isinstance(asked, AnalysisSpecification) else self.split is not None

    @property
    def capacity(self) -> int:
        """How many chunks the result is padded to, by declared facts alone."""
        size = result_bytes(self.specification, self.table)
        if isinstance(self.specification, Specification):
            size += SUM_BYTES * extent_of(self.table, self.specification).cells + SUMS_BYTES
        return capacity_for(size)

    @property
    def questions(self) -> Questions:
        """What the parties ask each other. Raises `Invalid` as `answered_as` does."""
        asked = self.specification
        return (
            answered_as(asked, self.offer.head.guarantee)
            if isinstance(asked, AnalysisSpecification)
            else self.twin(asked)
        )

    def twin(self, specification: Specification) -> PooledTwin | VerticalTwin:
        """The twin that `specification` asks of all members. Raises as `split`.

        Of a split table the most rows of the privacy unit are one at every member: at so many parties is who is protected.
        """
        rows, parties, split = rows_in_pool(self.offer, self.schemas), len(self.sources), self.split
        if split is not None:
            return VerticalTwin(specification, self.rho_micro, split, self.threshold, at=rows)
        return PooledTwin(specification, self.rho_micro, rows, parties, self.threshold)

    def job(self, vault: Path) -> JointJob:
        """What the process that counts is told. `vault`: the vault's folder."""
        own = Job(
            order=self.order.id,
            dataset=self.own.dataset.salt,
            version=self.order.order.version(self.index),
            commitment=self.own.version.commitment,
            rho_micro=self.own.member.rho_micro,
            delta_atto=self.offer.head.delta_atto,
            provider=self.own.member.provider,
            vault=vault,
        )
        rows, unit = rows_in_pool(self.offer, self.schemas), self.offer.head.unit
        return JointJob(own, self.rho_micro, rows, len(self.sources), self.threshold, unit)

    def lay_out(self, folder: Path) -> None:
        """Puts the documents that the answer is made by into `folder`, which is made if it is not there."""
        make_folder(folder)
        write_whole(folder / Name.SPECIFICATION, self.specification.encode())
        write_whole(folder / Name.DESCRIPTION, self.own.description.encode())
        if self.split is not None:
            write_whole(folder / Name.SPLIT, self.split.encode())


def read_joint(
    account: Account, order: OrderView, provider: Address, folder: Path, store: ContentStore
) -> JointCommission | None:
    """The order with its documents as `provider` sees it. None while they cannot be had.

    Raises `Invalid` where the bytes that the order names are no such documents, and never will be.
    """
    offer = account.offer_of(order)
    index = next(place for place, member in enumerate(offer.members) if member.provider == provider)
    datasets = [account.datasets[member.dataset] for member in offer.members]
    versions = [dataset.versions[order.order.version(at) - 1] for at, dataset in enumerate(datasets)]
    try:
        specified = read_document(order.order.specification, folder / Name.SPECIFICATION, store)
        described = [read_document(version.description, folder / Name.DESCRIPTION, store) for version in versions]
    except (Unreachable, Corrupt, Refused):
        return None
    try:
        descriptions = [Description.decode(data) for data in described]
        specification = read_specified(specified)
    except Corrupt as error:
        raise Invalid(str(error)) from None
    return JointCommission(order, offer, index, _sources(offer, datasets, versions, descriptions), specification)


def _sources(
    offer: Offer, datasets: Sequence[DatasetView], versions: Sequence[Version], descriptions: Sequence[Description]
) -> tuple[Source, ...]:
    return tuple(map(Source, offer.members, datasets, versions, descriptions))
