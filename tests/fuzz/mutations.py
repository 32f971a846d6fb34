"""Mutations of valid files and records, as Hypothesis strategies."""

import copy
import re
from typing import Any

from hypothesis import strategies as st

WORDS = [
    *(b'', b'nan', b'-inf', b'1e999', b'0', b'-1', b'1', b'1e-30', b'9' * 40, b'0x10', b'1_000'),
    *('³'.encode(), '٣'.encode(), b'\xff\xfe', b'\xef\xbb\xbf', b'\x00', b'\x80', b'\r', b'\n\n'),
    *(b'[' * 3000, b'{"a":' * 3000, b'null', b'true', b'""', b'{}', b'[]', b':', b',', b' ' * 500),
    *(
        b'../../x',
        b'/etc/passwd',
        b'..',
        b'a' * 5000,
        'é'.encode(),
        b'#',
        b'&a *a',
        b'!!python/none',
    ),
]
VALUES = [
    *(None, True, False, 0, -1, 1, 2**70, -(2**31), 0.5, float('nan'), float('inf'), -float('inf')),
    *(
        '',
        'nan',
        '../../x',
        'a' * 5000,
        '\ud800',
        'é³',
        b'',
        b'\x80',
        [],
        [[]],
        [0],
        [None] * 3,
        {},
    ),
    *({'a': None}, [float('nan')] * 3, [float('nan')] * 4, [0.0] * 4, [[0.0] * 3] * 3, [1e308] * 4),
]
_DELETED = object()


@st.composite
def mutated_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """Content of a file with up to four words or spans cut, doubled, or replaced by others."""
    for _ in range(draw(st.integers(1, 4))):
        words = [match.span() for match in re.finditer(rb'[^\s,:{}\[\]"]+', content[:4096])]
        if words and draw(st.booleans()):
            start, end = draw(st.sampled_from(words))
        else:
            start = draw(st.integers(0, len(content)))
            end = min(len(content), start + draw(st.sampled_from([0, 1, 1, 2, 4, 8, 64, 10**6])))
        span = draw(
            st.sampled_from(WORDS) | st.binary(max_size=8) | st.just(content[start:end] * 2)
        )
        content = content[:start] + span + content[end:]
    return content


@st.composite
def mutated_record(draw: st.DrawFn, record: Any) -> Any:
    """Nested dicts and lists with up to three entries removed or replaced by odd values."""
    record = copy.deepcopy(record)
    for _ in range(draw(st.integers(1, 3))):
        place = record
        while True:
            keys = _keys(place)
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not _keys(place[key]) or draw(st.integers(0, 4)) == 0:
                _replace(place, key, draw(st.sampled_from([_DELETED, *VALUES])))
                break
            place = place[key]
    return record


def _keys(value: Any) -> list:
    if isinstance(value, dict):
        return sorted(value, key=str)
    return list(range(len(value))) if isinstance(value, list) else []


def _replace(place: Any, key: Any, value: Any) -> None:
    if value is _DELETED:
        del place[key]
    else:
        place[key] = copy.deepcopy(value)
