"""`python -m scripts.deployment RPC`: deploys the marketplace and a test euro on a development chain, prints settings."""

import os
import sys
import time
from pathlib import Path

from marketplace.errors import Unreachable
from marketplace.ledger.deployment import deploy
from marketplace.ledger.jsonrpc import JsonRpcChain
from marketplace.ledger.signer import LocalSigner
from marketplace.terminal import guarded, say

ANVIL_ACCOUNT = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
WAIT_S = 30


@guarded
def main(rpc: str) -> None:
    """Waits for the chain, deploys, prints."""
    until = time.monotonic() + WAIT_S
    while True:
        try:
            chain = JsonRpcChain(rpc)
            break
        except Unreachable:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
    deployed = deploy(chain, LocalSigner(ANVIL_ACCOUNT))
    print(f"export AGORA_RPC={rpc}")
    print(f"export AGORA_CHAIN_ID={chain.chain_id}")
    print(f"export AGORA_CONTRACT={deployed.marketplace}")
    print("export AGORA_CONFIRMATIONS=0")
    print(f"export AGORA_STORE={os.environ.get('AGORA_STORE', Path('agora-store').resolve())}")
    print(f"# test euro (anyone may mint): {deployed.euro}", flush=True)
    say("Running; the accounts of Anvil are public, so use this for development only. Ctrl-C ends it.")


if __name__ == "__main__":
    main(sys.argv[1])
