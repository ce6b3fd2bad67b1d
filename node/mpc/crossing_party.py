"""The process of one party and one order about a split table: `python -m node.mpc.crossing_party`, else as `node.mpc.party`."""

import sys

from node.mpc import party
from node.mpc.crossing import Crosses

if __name__ == "__main__":
    sys.exit(party.main(Crosses))
