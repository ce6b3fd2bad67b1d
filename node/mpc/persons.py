"""Which buckets of a linkage count or a split table a party's persons fall into, under a key that only the parties share."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_linkage import Linkage
from marketplace.protocol.schema import Schema
from node.mpc.codes import Integers

KEY_BYTES = 32
_LABEL, _SPLIT_LABEL = b"agora linkage", b"agora split"


def in_buckets(
    specification: AnalysisSpecification, schema: Schema, identifiers: Iterable[str], key: bytes
) -> dict[str, Integers]:
    """What a party hands in for the linkage count of `specification`, by its name: a 1 for each bucket in which it has a
    person, and 0 where its noise comes; exact, for the provider's own process alone.

    `identifiers`: what stands in the person column, of rows that meet the conditions, however often; they are taken in the
    declared spelling. `key`: 32 bytes that the parties have agreed on for this order. Identifiers fall into buckets by a keyed
    hash of their UTF-8, so who does not have the key cannot tell, nor choose, which persons share a bucket; from the parties
    themselves the key hides nothing, sharing and noise do. Source: Aumasson and others 2013, BLAKE2 as a pseudo-random
    function.
    Raises `ValueError` for another key, or a specification of no linkage count.
    """
    (analysis,) = specification.analyses
    if not isinstance(analysis, Linkage) or len(key) != KEY_BYTES:
        raise ValueError("expected a linkage count and a key of 32 bytes")
    (asked,) = specification.asked(schema)
    found = np.zeros(asked.of.inputs, np.int64)
    spelt = {analysis.spelling.of(one) for one in identifiers} - {""}
    found[[bucket_of(one, key, analysis.buckets) for one in spelt]] = 1
    return {asked.name: found}


def bucket_of(identifier: str, key: bytes, buckets: int) -> int:
    """The bucket of a person, from 0. `buckets`: a power of two."""
    digest = blake2b(identifier.encode(), key=key, digest_size=8, person=_LABEL).digest()
    return int.from_bytes(digest, "big") % buckets


def placed(identifiers: Sequence[str], key: bytes, buckets: int) -> tuple[Integers, Integers]:
    """Of each person of a split table its bucket, from 0, and its sign, 1 or -1: the same at every party that knows it.

    `identifiers`: one for each person, in the spelling that all use. `key`: as for `in_buckets`. `buckets`: a power of two.
    Bucket and sign are other bits of one keyed hash, so signs of different persons in one bucket are independent. Raises
    `ValueError` for another key.
    """
    if len(key) != KEY_BYTES:
        raise ValueError("expected a key of 32 bytes")
    hashed = b"".join(
        blake2b(one.encode(), key=key, digest_size=8, person=_SPLIT_LABEL).digest() for one in identifiers
    )
    words = np.frombuffer(hashed, ">u8")
    return (words % np.uint64(buckets)).astype(np.int64), 1 - 2 * (words >> np.uint64(63)).astype(np.int64)
