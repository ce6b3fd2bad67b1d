"""Whether an account signed: by its key, or by the word of the wallet that its code is."""

from marketplace.errors import Corrupt
from marketplace.ledger.abi import check, encode
from marketplace.ledger.chain import Chain, Revert
from marketplace.ledger.ids import Domain, keccak
from marketplace.ledger.signer import recover
from marketplace.protocol.identity import Address

MAGIC = keccak(b"isValidSignature(bytes32,bytes)")[:4]
"""The question's selector, and the answer that means yes."""

DELEGATION = b"\xef\x01\x00"
"""How the code of an account begins that has a key all the same. Source: EIP-7702."""


def is_wallet(chain: Chain, account: Address) -> bool:
    """Whether `account` is a contract, so that no key signs in its name. Raises as the chain does."""
    code = chain.code(account)
    return bool(code) and not code.startswith(DELEGATION)


def signed_by(chain: Chain, domain: Domain, account: Address, struct: bytes, signature: bytes) -> bool:
    """Whether `account` signed the EIP-712 value whose hash is `struct` under `domain`.

    Its key is tried first; an account without code is asked nothing more. Raises as the chain does. Source: ERC-1271.
    """
    return _by_key(domain, account, struct, signature) or _by_code(chain, domain.digest(struct), account, signature)


def _by_key(domain: Domain, account: Address, struct: bytes, signature: bytes) -> bool:
    try:
        return recover(domain.separator, struct, signature) == account
    except Corrupt:
        return False


def _by_code(chain: Chain, digest: bytes, account: Address, signature: bytes) -> bool:
    if not chain.code(account):
        return False
    question = MAGIC + encode(["bytes32", "bytes"], [check("digest", "bytes32", digest), signature])
    try:
        said = chain.call(account, question)
    except Revert:
        return False
    return len(said) >= 32 and said[:32] == MAGIC.ljust(32, b"\0")
