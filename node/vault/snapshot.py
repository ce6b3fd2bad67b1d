"""One version of a dataset as an Arrow file under its commitment. Nothing outside this package may import this module:
the door to records is `node.vault.draw`."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from marketplace.errors import Corrupt
from marketplace.protocol import canonical
from marketplace.protocol.schema import Schema
from node.files import whole_file
from node.nesting import nested_type, rows_of, strands_of
from node.vault.bounding import TAG_BYTES, Tags, bytes_of, tags_of

FORMAT = canonical.format_name("snapshot", 1).encode()
COMMITMENT_TAG = canonical.format_name("commitment", 1).encode()
SALT_BYTES = 32
BATCH_ROWS = 65_536

_PERSON, _IDENTITY, _HELD_OUT = "agora:person", "agora:identity", "agora:holdout"


@dataclass(frozen=True)
class Content:
    """The coded rows of one version. `table`: int32 columns as the schema declares them, null for missing; of a linked
    schema the nested table, whose rows are persons.

    `person`: a dense number for each row's person, int32. `identity`: what stands for that person, shape (rows, 2),
    uint64. `held_out`: whether that person is in the holdout.
    """

    table: pa.Table
    person: NDArray[np.int32]
    identity: Tags
    held_out: NDArray[np.bool_]


def coded_table(rows: NDArray[np.int32], schema: Schema) -> pa.Table:
    """Codes, one line per row and -1 for missing, as a table of int32 columns with nulls."""
    return _table([np.ascontiguousarray(rows[:, place]) for place in range(len(schema.columns))], schema)


def commitment_of(content: Content, schema: Schema, salt: bytes) -> bytes:
    """The commitment to `content` under `schema`: 32 bytes that tell nothing without the salt of 32 bytes.

    SHA-256 of the tag `agora/commitment/1`, the salt, the SHA-256 of the schema's canonical JSON, and the SHA-256 of
    the content, which is: the number of rows in 8 bytes, big-endian; each declared column in order, 4 bytes per row,
    little-endian, -1 for missing; each row's person, 4 bytes, little-endian; each row's identity, 16 bytes; each row's
    side, 1 byte, 1 for holdout. Of a nested table the rows are persons; after the columns in which they are one and the
    same, each strand: how many rows each person has, 4 bytes, little-endian, and its columns like the others.
    """
    hashed = sha256(content.table.num_rows.to_bytes(8, "big"))
    for column in content.table.columns:
        if not pa.types.is_list(column.type):
            hashed.update(_numbers(column).astype("<i4").tobytes())
    for strand in strands_of(schema):
        rows = rows_of(content.table, strand)
        hashed.update(rows.counts.astype("<i4").tobytes() + rows.codes.T.astype("<i4").tobytes())
    hashed.update(content.person.astype("<i4").tobytes())
    hashed.update(content.identity.astype(">u8").tobytes())
    hashed.update(content.held_out.astype(np.uint8).tobytes())
    declared = sha256(canonical.encode(schema.document())).digest()
    return sha256(COMMITMENT_TAG + salt + declared + hashed.digest()).digest()


def write(folder: Path, commitment: bytes, content: Content, salt: bytes) -> None:
    """Stores `content` and its salt, durable and whole or not at all, readable by the owner only.

    Raises `Refused` if the folder cannot be written.
    """
    table = content.table.append_column(_PERSON, pa.array(content.person))
    identities = pa.array(bytes_of(content.identity), pa.binary(TAG_BYTES))
    table = table.append_column(_IDENTITY, identities).append_column(_HELD_OUT, pa.array(content.held_out))
    table = table.replace_schema_metadata({b"format": FORMAT, b"salt": salt})
    with whole_file(_path(folder, commitment)) as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=BATCH_ROWS)


def read(folder: Path, commitment: bytes, schema: Schema) -> Content:
    """The content under `commitment`, checked against it before anything is handed out.

    Its rows stay in the file, which nobody changes, and are read where they are asked for, a batch at a time.
    Raises `Corrupt` if the file is gone, is no snapshot, or differs in a single bit of what was committed to.
    """
    try:
        with pa.memory_map(str(_path(folder, commitment))) as file, pa.ipc.open_file(file) as reader:
            table = reader.read_all()
        table.validate(full=True)
        as_declared = _has_columns(table.schema, schema)
    except (OSError, pa.ArrowException, UnicodeDecodeError):
        raise _corrupt(commitment, "a file that is gone or cannot be decoded") from None
    metadata = table.schema.metadata or {}
    if metadata.get(b"format") != FORMAT:
        raise _corrupt(commitment, "a file of another format")
    if not as_declared:
        raise _corrupt(commitment, "other columns")
    rows = pa.Table.from_arrays(table.columns[:-3], names=table.column_names[:-3])
    if not schema.is_linked and any((pc.min(column).as_py() or 0) < 0 for column in rows.columns):
        raise _corrupt(commitment, "codes below 0")
    content = Content(
        rows,
        _numbers(table.column(_PERSON)),
        tags_of([tag or bytes(TAG_BYTES) for tag in table.column(_IDENTITY).to_pylist()]),
        table.column(_HELD_OUT).fill_null(False).to_numpy(),
    )
    if commitment_of(content, schema, metadata.get(b"salt", b"")) != commitment:
        raise _corrupt(commitment, "other records")
    return content


def _table(columns: list[NDArray[np.int32]], schema: Schema) -> pa.Table:
    arrays = [pa.array(column, mask=column < 0) for column in columns]
    return pa.Table.from_arrays(arrays, names=list(schema.names))


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int32]:
    numbers: NDArray[np.int32] = column.fill_null(-1).to_numpy()
    return numbers


def _has_columns(found: pa.Schema, schema: Schema) -> bool:
    nested = nested_type(schema)
    names, kinds = (
        (nested.names, nested.types) if schema.is_linked else (schema.names, [pa.int32()] * len(schema.names))
    )
    types = [*kinds, pa.int32(), pa.binary(TAG_BYTES), pa.bool_()]
    return bool(found.names == [*names, _PERSON, _IDENTITY, _HELD_OUT] and found.types == types)


def _path(folder: Path, commitment: bytes) -> Path:
    return folder / f"{commitment.hex()}.arrow"


def _corrupt(commitment: bytes, what: str) -> Corrupt:
    return Corrupt(
        f"expected the snapshot under commitment {commitment.hex()[:16]}..., got {what}; restore the vault from its backup"
    )
