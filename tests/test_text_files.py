"""Text and JSON files."""

import pytest

from hybrid_depth.errors import DamagedFileError
from hybrid_depth.text_files import parse_json, parse_number, read_json, read_text

INF = float('inf')


def test_byte_order_mark_is_removed(tmp_path):
    (tmp_path / 'a.json').write_bytes('\ufeff{"ä": 1}'.encode())
    assert read_json(tmp_path / 'a.json') == {'ä': 1}


@pytest.mark.parametrize('content', ['{"a": 1}'.encode('utf-16'), b'\x80', b'ok\xff'])
def test_other_encodings_are_named(tmp_path, content):
    (tmp_path / 'a.txt').write_bytes(content)
    with pytest.raises(DamagedFileError, match=r'a\.txt: expected text in UTF-8'):
        read_text(tmp_path / 'a.txt')


@pytest.mark.parametrize('text', ['', '{', '[1,]', '[' * 100000, '\x00'])
def test_other_text_is_named(text):
    with pytest.raises(DamagedFileError, match='line 3: expected JSON'):
        parse_json(text, 'line 3')


@pytest.mark.parametrize('text', ['³', '１', '٣', '1_0', '1_000.5', 'x', '', '0x10', '²5'])
@pytest.mark.parametrize('kind', [int, float])
def test_numbers_of_other_digits_are_refused(text, kind):
    with pytest.raises(ValueError, match='could not convert|invalid literal'):
        parse_number(text, kind)


def test_numbers():
    assert [parse_number(text) for text in ('1e-3', '-.5', '+7', 'inf')] == [1e-3, -0.5, 7, INF]
    assert parse_number('-12', int) == -12
