"""Transactions in two steps: prepare (ask, sign) and send (hand in, wait), so that one can be kept in between."""

import time
from typing import NoReturn

from marketplace.errors import Refused, Unreachable
from marketplace.ledger.calls import Call
from marketplace.ledger.chain import Chain, Mined, Revert
from marketplace.ledger.ledger import Prepared, Receipt
from marketplace.ledger.refusals import refusal
from marketplace.ledger.signer import Draft, Signer, sign_transaction
from marketplace.protocol.identity import Address

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 1.0


def prepare(chain: Chain, by: Signer, call: Call) -> Prepared:
    """Asks the contract whether it would agree now, and signs what would be sent.

    Raises what the contract says, `Refused` if the sender cannot pay for the gas, `Unreachable` if nobody answers.
    """
    try:
        if call.data and call.to is not None:
            chain.call(call.to, call.data, by.address)
        gas = chain.gas_limit(by.address, call.to, call.data, call.value_wei)
    except Revert as revert:
        raise refusal(revert.data) from revert
    fees = chain.fees()
    draft = Draft(
        chain_id=chain.chain_id,
        nonce=chain.nonce(by.address),
        to=call.to,
        data=call.data,
        value_wei=call.value_wei,
        gas_limit=gas,
        most_wei=fees.most_wei,
        tip_wei=fees.tip_wei,
    )
    raw, digest = sign_transaction(by, draft)
    return Prepared(raw, digest, call.function)


def send(chain: Chain, prepared: Prepared, wait_s: float) -> Receipt:
    """Hands a transaction in, unless the chain has it already, and waits for its block at most `wait_s` seconds."""
    try:
        chain.broadcast(prepared.raw)
    except Refused:
        if chain.sent(prepared.hash) is None:
            raise
    return receipt(chain, prepared.hash, _wait(chain, prepared.hash, wait_s), prepared.function)


def receipt(chain: Chain, transaction: bytes, mined: Mined, function: str) -> Receipt:
    """The receipt of a transaction in a block. Raises what the contract said if it was undone there."""
    if not mined.succeeded:
        _raise_failure(chain, transaction, mined)
    return Receipt(transaction, mined.gas, mined.block, chain.block(mined.block).at_s, function)


def created(chain: Chain, receipt: Receipt) -> Address:
    """The address of the contract that a transaction made. Raises `Refused` if it made none."""
    mined = chain.mined(receipt.transaction)
    if mined is None or mined.created is None:
        raise Refused("expected a transaction that makes a contract, got another; deploy again")
    return mined.created


def _wait(chain: Chain, transaction: bytes, wait_s: float) -> Mined:
    until, pause_s = time.monotonic() + wait_s, _FIRST_PAUSE_S
    while (mined := chain.mined(transaction)) is None:
        if time.monotonic() + pause_s > until:
            raise Unreachable(
                f"expected transaction 0x{transaction.hex()} in a block within {wait_s:g} s, it still waits; "
                "ask for it again by its hash"
            )
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    return mined


def _raise_failure(chain: Chain, transaction: bytes, mined: Mined) -> NoReturn:
    """Raises what the contract said when it undid a transaction in its block, asked again at the end of that block."""
    sent = chain.sent(transaction)
    if sent is not None:
        try:
            chain.call(sent.to, sent.data, sent.sender, mined.block)
        except Revert as revert:
            raise refusal(revert.data) from revert
    raise Refused(
        f"expected transaction 0x{transaction.hex()} to succeed, it was undone in its block; prepare a new one"
    )
