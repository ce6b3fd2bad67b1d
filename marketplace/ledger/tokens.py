"""What a token says about itself: the domain that its payments by signature are signed under."""

from collections.abc import Sequence

from marketplace.errors import Corrupt, Refused
from marketplace.ledger.abi import Row, decode, encode
from marketplace.ledger.chain import Chain, Revert
from marketplace.ledger.ids import Domain, keccak
from marketplace.protocol.identity import Address

_NAME_VERSION_CHAIN_CONTRACT = b"\x0f"
_DEFAULT_VERSION = "1"
_DESCRIPTION = ("bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]")


def token_domain(chain: Chain, token: Address) -> Domain:
    """The domain of `token`, from what it says of itself (ERC-5267), or from its name and version (EIP-2612).

    Chain and address in it are always the token's own: a token cannot have something signed for another contract. Raises
    `Refused` if the token's domain is of another form, so that what is signed here would be of no use.
    """
    domain = Domain(chain.chain_id, token, *(_described(chain, token) or _named(chain, token)))
    said = _ask(chain, token, "DOMAIN_SEPARATOR()", ["bytes32"])
    if said is not None and said[0] != domain.separator:
        raise _other_form(token)
    return domain


def approval_nonce(chain: Chain, token: Address, owner: Address) -> int:
    """The number of the next approval that `owner` signs (EIP-2612). Raises `Refused` if the token takes none."""
    said = _ask(chain, token, "nonces(address)", ["uint256"], encode(["address"], [owner]))
    if said is None:
        raise Refused(f"expected a token that takes signed approvals, {token} does not; approve the amount instead")
    return int(said[0])


def _described(chain: Chain, token: Address) -> tuple[str, str] | None:
    said = _ask(chain, token, "eip712Domain()", _DESCRIPTION)
    if said is None:
        return None
    fields, name, version, chain_id, contract, _, extensions = said
    own = (_NAME_VERSION_CHAIN_CONTRACT, chain.chain_id, token.lower(), ())
    if (fields, chain_id, contract.lower(), tuple(extensions)) != own:
        raise _other_form(token)
    return str(name), str(version)


def _named(chain: Chain, token: Address) -> tuple[str, str]:
    name, version = (_ask(chain, token, question, ["string"]) for question in ("name()", "version()"))
    if name is None or _ask(chain, token, "DOMAIN_SEPARATOR()", ["bytes32"]) is None:
        raise _other_form(token)
    return str(name[0]), str(version[0]) if version else _DEFAULT_VERSION


def _ask(chain: Chain, token: Address, question: str, types: Sequence[str], values: bytes = b"") -> Row | None:
    """What the token answers; None if it does not know the question or answers something else."""
    try:
        return decode(types, chain.call(token, keccak(question.encode())[:4] + values))
    except (Revert, Corrupt):
        return None


def _other_form(token: Address) -> Refused:
    return Refused(
        f"expected a token that says under which domain it takes signatures, {token} does not; approve the amount instead"
    )
