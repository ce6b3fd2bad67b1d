"""The tables that stand between our values and the contract's say what the compiler says."""

import inspect
import re
from dataclasses import fields

import pytest

from marketplace.errors import Corrupt, Invalid
from marketplace.ledger import artifact
from marketplace.ledger.abi import (
    COMPLAINT,
    CONSENT,
    DELIVERY,
    HEAD,
    MEMBER,
    ORDER,
    PAYMENT,
    PERMIT,
    STANDING,
    Struct,
    check,
    decode,
    encode,
    member,
)
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.calls import Calls
from marketplace.protocol.offer import Guarantee, Kind
from marketplace.protocol.order import Means, Origin
from marketplace.protocol.states import DeclineReason, OrderState, Reason
from marketplace.protocol.unit import PrivacyUnit

COMPILED = artifact.load()
MARKETPLACE = COMPILED.marketplace
VIEWS = {"datasetId", "hashMembers", "offerId", "orderId", "deliveryHash", "eip712Domain"}
VIEWS |= {"permits", "providers", "licences"}
ASKED_OF_PERMITS = {"requirePermit", "requireLive", "isLive", "isFor", "revokedAt", "getPermit"}
FOR_WALLETS = {"balanceOf", "ownerOf", "locked", "getApproved", "isApprovedForAll", "supportsInterface", "namedAt"}
FOR_NOBODY = {"transferFrom", "safeTransferFrom", "approve", "setApprovalForAll"}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


@pytest.mark.parametrize(
    ("struct", "function", "parameter"),
    [
        (HEAD, "offerId", 0),
        (MEMBER, "hashMembers", 0),
        (ORDER, "orderId", 0),
        (DELIVERY, "deliveryHash", 1),
        (COMPLAINT, "complain", 4),
        (CONSENT, "publish", 2),
        (PAYMENT, "placeFor", 4),
    ],
    ids=lambda value: value.name if isinstance(value, Struct) else "",
)
def test_a_struct_has_the_compilers_fields(struct: "Struct[object]", function: str, parameter: int) -> None:
    compiled = MARKETPLACE.functions[function].inputs[parameter]
    assert struct.abi == compiled.type.removesuffix("[]")
    assert tuple(field.name for field in struct.fields) == compiled.parts


@pytest.mark.parametrize(
    ("struct", "compiled"),
    [(STANDING, MARKETPLACE.functions["getOrder"]), (PERMIT, COMPILED.permits.functions["getPermit"])],
    ids=["standing", "permit"],
)
def test_what_the_ledger_keeps_has_the_compilers_fields(struct: "Struct[object]", compiled: artifact.Function) -> None:
    (answer,) = compiled.outputs
    assert struct.abi == answer.type
    assert tuple(field.name for field in struct.fields) == answer.parts


def test_an_origin_has_the_compilers_fields() -> None:
    origin = MARKETPLACE.functions["publishStock"].inputs[3]
    assert origin.type == f"({HEAD.abi},{MEMBER.abi}[],{ORDER.abi},{DELIVERY.abi})"
    assert origin.parts == tuple(field.name for field in fields(Origin))


@pytest.mark.parametrize("enum", [Kind, Guarantee, PrivacyUnit, OrderState, Reason, DeclineReason, Means])
def test_an_enum_counts_as_the_compiler_does(enum: type[Kind]) -> None:
    names = [re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper() for name in COMPILED.enums[enum.__name__]]
    assert [item.name for item in enum] == names
    assert [item.value for item in enum] == list(range(len(names)))


def test_no_enum_of_the_contracts_is_unknown() -> None:
    assert set(COMPILED.enums) == {"Kind", "Guarantee", "PrivacyUnit", "OrderState", "Reason", "DeclineReason", "Means"}


def test_every_function_of_the_contracts_is_a_typed_call_or_a_typed_question() -> None:
    calls = {camel(name) for name, _ in inspect.getmembers(Calls, inspect.isfunction) if not name.startswith("_")}
    marketplace = set(MARKETPLACE.functions) - VIEWS - {name for name in MARKETPLACE.functions if name[:3] == "get"}
    permits = set(COMPILED.permits.functions) - ASKED_OF_PERMITS
    licences = set(COMPILED.licences.functions) - FOR_WALLETS - FOR_NOBODY - {"show"} | {"showLicence"}
    assert calls == marketplace | permits | licences | set(COMPILED.providers.functions)


def test_of_several_functions_of_one_name_the_one_with_all_arguments_is_called() -> None:
    assert len(COMPILED.licences.functions["isLicensed"].inputs) == 5


def test_numbers_outside_their_type_are_invalid() -> None:
    assert check("count", "uint32", 2**32 - 1) == 2**32 - 1
    for number in (-1, 2**32):
        with pytest.raises(Invalid, match="count"):
            check("count", "uint32", number)


def test_ids_of_another_length_are_invalid() -> None:
    for wrong in (b"", bytes(31), bytes(33)):
        with pytest.raises(Invalid, match="32 bytes for terms"):
            check("terms", "bytes32", wrong)
        with pytest.raises(Invalid, match=r"32 bytes for path\[1\]"):
            check("path", "bytes32[]", (bytes(32), wrong))


def test_bytes_that_are_something_else_are_corrupt() -> None:
    for wrong in (b"", b"\xff" * 31, b"\xff" * 32):
        with pytest.raises(Corrupt, match="something else"):
            decode(["uint8"], wrong)
    assert decode(["uint8"], encode(["uint8"], [7])) == (7,)


def test_a_number_without_a_member_is_corrupt() -> None:
    assert member(Reason, 7) is Reason.APPROVED
    with pytest.raises(Corrupt, match="Reason"):
        member(Reason, 200)


ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def test_an_address_is_kept_in_mixed_case() -> None:
    assert checksummed(ADDRESS.lower()) == checksummed(ADDRESS) == ADDRESS


@pytest.mark.parametrize("wrong", ["", "0x12", ADDRESS[2:], ADDRESS + "00", "0x" + "g" * 40, "0X" + ADDRESS[2:]])
def test_what_is_no_address_is_invalid(wrong: str) -> None:
    with pytest.raises(Invalid):
        checksummed(wrong)


def test_an_address_with_a_wrong_checksum_is_invalid() -> None:
    with pytest.raises(Invalid, match="checksum"):
        checksummed(ADDRESS.replace("aA", "Aa"))
