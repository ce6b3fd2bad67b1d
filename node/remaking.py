"""The rows of a pooled twin made again from the sums in its result: by anybody, without a record, a key or a node's folder."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from marketplace.certificate.folder import ResultFolder
from marketplace.certificate.twins import groups_of, sums_faults
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol import analysis_sums, result
from marketplace.protocol.specification import Specification
from node.environment import this_environment
from node.synthesis.generator import Cancelled, Progress
from node.twin.pooled import PooledTwin
from node.vault import csv_text


@dataclass(frozen=True)
class Remade:
    """What came of it. `rows`: how many there are; `differing`: how many of them are not those that were delivered.

    `elsewhere`: the parts of the environment in which the certificate differs from this process.
    """

    rows: int
    differing: int
    elsewhere: tuple[str, ...]

    def check(self) -> None:
        """Raises `Refused` where rows differ: here that may be this processor or environment."""
        if self.differing:
            where = f"; this environment differs in {', '.join(self.elsewhere)}" if self.elsewhere else ""
            raise Refused(
                f"expected the {self.rows:,} rows that follow from the sums, {self.differing:,} differ{where}; a few may "
                "on another processor, so make them again on the lead's kind of machine before you contest"
            )


def remake(folder: Path, progress: Progress, cancelled: Cancelled) -> Remade:
    """The rows in the result's `folder`, compared with those that follow from the sums beside them.

    Raises `Invalid` for the result of something else, `Corrupt` where the sums are not those that the certificate names.
    """
    kept = ResultFolder.read(folder)
    manifest, description, specification = kept.manifest.value, kept.description.value, kept.specification.value
    joint = manifest.certificate.joint if manifest else None
    if manifest is None or joint is None or description is None or not isinstance(specification, Specification):
        raise Invalid("expected the result of an order for a twin of pooled records, got another; give its folder")
    certificate, schema = manifest.certificate, joint.schema(description.schema)
    digests = sha256(specification.encode()).digest(), sha256(description.encode()).digest()
    faults = [*sums_faults(kept.files, certificate.mechanism)]
    if faults or digests != (certificate.specification, certificate.description):
        raise Corrupt("expected the sums and documents that the certificate names, got others; fetch the order again")
    rows, parties = joint.rows(schema.rows_per_person), len(joint.parties)
    twin = PooledTwin(specification, joint.sums_micro, rows, parties, joint.threshold)
    twin.check(schema)
    opened = analysis_sums.decode(kept.files[analysis_sums.SUMS].read_bytes())
    if not set(groups_of(twin.scoring(schema, opened))) <= set(certificate.mechanism.parameters):
        raise Corrupt(
            "expected columns to be scored in the groups that follow from the sums, got others; contest the order"
        )
    made = csv_text.encode(twin.table(schema, opened, progress, cancelled), schema).splitlines()
    given = kept.files[result.TABLE].read_bytes().splitlines()
    differing = sum(one != other for one, other in zip(made, given, strict=False)) + abs(len(made) - len(given))
    now = vars(this_environment())
    elsewhere = tuple(name for name, value in vars(certificate.environment).items() if now[name] != value)
    return Remade(len(given) - 1, differing, elsewhere)
