"""What an order's specification may be: wishes for a synthetic twin, or questions to several providers together."""

from collections.abc import Mapping

from marketplace.errors import Corrupt
from marketplace.protocol import canonical, result
from marketplace.protocol.analysis import NOUN, VERSION, AnalysisSpecification
from marketplace.protocol.analysis_answer import ANSWERS
from marketplace.protocol.analysis_sums import SUMS
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.protocol.threshold import Threshold

Specified = Specification | AnalysisSpecification

ANALYSIS_FILES = (ANSWERS, SUMS, result.REPORT)
CELL_BYTES = 512
"""More than a cell's sum and all that an answer says of it can take."""


def read_specified(data: bytes) -> Specified:
    """The specification in `data`, by the format that it names. Raises `Corrupt` and `Invalid` as its kind does."""
    is_analysis = _format(data) == canonical.format_name(NOUN, VERSION)
    return AnalysisSpecification.decode(data) if is_analysis else Specification.decode(data)


def names_of(specified: Specified, schema: Schema, *, joint: bool = False) -> tuple[str, ...]:
    """The names of the files of a result that was made by `specified`, in order. `joint`: by several providers together,
    whose synthetic rows have the sums beside them that they were made from."""
    if isinstance(specified, AnalysisSpecification):
        return ANALYSIS_FILES
    return (*result.names_of(schema), SUMS) if joint else result.names_of(schema)


def rows_of(specified: Specified) -> int:
    """How many synthetic rows are asked for; none by an analysis."""
    return 0 if isinstance(specified, AnalysisSpecification) else specified.rows


def thresholds_of(specified: Specified) -> tuple[Threshold, ...]:
    """What released scores must meet; an answer has none."""
    return specified.thresholds if isinstance(specified, Specification) else ()


def result_bytes(specified: Specified, schema: Schema) -> int:
    """The size to which a result is padded, by declared facts alone."""
    if isinstance(specified, Specification):
        return result.most_bytes(schema, specified.rows)
    cells = sum(one.of.cells for asked in specified.schedule(schema) for one in asked)
    return result.DOCUMENTS_BYTES + CELL_BYTES * cells


def _format(data: bytes) -> object:
    try:
        document = canonical.parse(data)
    except ValueError:
        raise Corrupt("expected a specification, got bytes that are not JSON; ask who made it") from None
    return document.get("format") if isinstance(document, Mapping) else None
