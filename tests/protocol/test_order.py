import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Invalid
from marketplace.protocol.identity import OfferId
from marketplace.protocol.order import Order, pack_versions

from .examples import address


@given(st.lists(st.integers(1, 0xFFFF), min_size=1, max_size=16))
def test_each_version_is_read_back_from_its_place(versions: list[int]) -> None:
    order = Order(OfferId(bytes(32)), address(1), bytes(32), pack_versions(versions), place_by_s=0)
    assert [order.version(index) for index in range(len(versions))] == versions
    assert order.versions < 2**256


@pytest.mark.parametrize("versions", [[], [0], [0x10000], [1] * 17, [1, -1]])
def test_versions_outside_the_range_are_refused(versions: list[int]) -> None:
    with pytest.raises(Invalid, match="1 to 16 dataset versions between 1 and 65535"):
        pack_versions(versions)
