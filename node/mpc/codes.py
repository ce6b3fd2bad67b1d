"""Records as a joint analysis sees them: for each column the codes of its declared values, one for each row."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = -1
"""What stands where a row has no value."""

Codes = NDArray[np.signedinteger[Any]]
Integers = NDArray[np.int64]
