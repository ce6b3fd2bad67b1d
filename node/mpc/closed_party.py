"""The process of one party and one order in the closed lane: `python -m node.mpc.closed_party`, otherwise as `node.mpc.party`."""

import sys

from node.mpc import party
from node.mpc.closed import Closed

if __name__ == "__main__":
    sys.exit(party.main(Closed))
