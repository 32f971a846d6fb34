"""Refusals at the borders: an error for the user that names what is wrong and where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hybrid_depth.errors import HybridDepthError

#: What the command lines print without a traceback (`hybrid_depth.cli.run`).
FOR_USERS = (HybridDepthError, FileNotFoundError, FloatingPointError)


@contextmanager
def refused(*words: str) -> Iterator[None]:
    """The block raises an error for the user whose text has all the words."""
    with pytest.raises(FOR_USERS) as caught:
        yield
    text = str(caught.value)
    absent = [word for word in words if word not in text]
    assert not absent, f'expected {absent} in: {text}'
