import errno

import pytest

from marketplace.content.disk import explained
from marketplace.errors import Refused, Unreachable


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_what_is_not_allowed_is_refused(code: int) -> None:
    error = explained(OSError(code, "text", "/secret/place"), "the block b")
    assert isinstance(error, Refused)
    assert "give access or another folder" in str(error)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_may_be_tried_again(code: int) -> None:
    error = explained(OSError(code, "text", "/secret/place"), "the block b")
    assert isinstance(error, Unreachable)
    assert "free some and try again" in str(error)


@pytest.mark.parametrize("error", [OSError(errno.EIO, "text", "/secret/place"), OSError("text without a number")])
def test_any_other_trouble_may_be_tried_again(error: OSError) -> None:
    assert isinstance(explained(error, "the block b"), Unreachable)


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EIO])
def test_the_message_is_one_line_with_what_and_without_where(code: int) -> None:
    said = str(explained(OSError(code, "text", "/secret/place"), "the block b"))
    assert "the block b" in said
    assert "secret" not in said
    assert "\n" not in said
