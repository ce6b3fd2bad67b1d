"""What a token says about itself: the domain that its payments by signature are signed under. Any token may say anything."""

from collections.abc import Sequence

from marketplace.errors import Corrupt
from marketplace.ledger.abi import Row, decode, encode
from marketplace.ledger.chain import Chain, Revert
from marketplace.ledger.ids import Domain, keccak
from marketplace.protocol.identity import Address, OrderId

_NAME_VERSION_CHAIN_CONTRACT = b"\x0f"
_VERSIONS = ("1", "2")
"""What tokens put into their domains as a version. Few of them tell it."""
_DESCRIPTION = ("bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]")


def token_domain(chain: Chain, token: Address) -> Domain | None:
    """The domain of `token`, from what it says of itself (ERC-5267), or from its name and version (EIP-2612).

    It is made of the token's own chain and address, so that no token can have anything signed that another contract would
    take. None if the token does not say enough, says something else, or contradicts itself.
    """
    separator = _ask(chain, token, "DOMAIN_SEPARATOR()", ["bytes32"])
    described = _ask(chain, token, "eip712Domain()", _DESCRIPTION)
    if described is not None:
        fields, name, version, chain_id, contract, _, extensions = described
        own = (_NAME_VERSION_CHAIN_CONTRACT, chain.chain_id, token.lower(), ())
        domain = Domain(chain.chain_id, token, name, version)
        agrees = (fields, chain_id, contract.lower(), tuple(extensions)) == own
        return domain if agrees and separator in (None, (domain.separator,)) else None
    name, told = (_ask(chain, token, question, ["string"]) for question in ("name()", "version()"))
    if name is None or separator is None:
        return None
    known = (Domain(chain.chain_id, token, name[0], version) for version in told or _VERSIONS)
    return next((domain for domain in known if domain.separator == separator[0]), None)


def approval_nonce(chain: Chain, token: Address, owner: Address) -> int | None:
    """The number of the next approval that `owner` signs (EIP-2612). None if the token takes none."""
    said = _ask(chain, token, "nonces(address)", ["uint256"], encode(["address"], [owner]))
    return int(said[0]) if said else None


def takes_authorization(chain: Chain, token: Address, owner: Address, order: OrderId) -> bool:
    """Whether `owner` can still sign a transfer for `order` (EIP-3009)."""
    values = encode(["address", "bytes32"], [owner, order])
    return _ask(chain, token, "authorizationState(address,bytes32)", ["bool"], values) == (False,)


def allowance_units(chain: Chain, token: Address, owner: Address, spender: Address) -> int:
    """What `spender` may still take of `owner`'s; nothing if the token does not say."""
    said = _ask(chain, token, "allowance(address,address)", ["uint256"], encode(["address"] * 2, [owner, spender]))
    return int(said[0]) if said else 0


def _ask(chain: Chain, token: Address, question: str, types: Sequence[str], values: bytes = b"") -> Row | None:
    """What the token answers; None if it does not know the question or answers something else."""
    try:
        return decode(types, chain.call(token, keccak(question.encode())[:4] + values))
    except (Revert, Corrupt):
        return None
