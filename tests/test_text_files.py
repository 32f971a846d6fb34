"""Text and JSON files."""

import pytest

from hybrid_depth.errors import DamagedFileError
from hybrid_depth.text_files import parse_json, read_json, read_text


def test_byte_order_mark_is_removed(tmp_path):
    (tmp_path / 'a.json').write_bytes('\ufeff{"ä": 1}'.encode())
    assert read_json(tmp_path / 'a.json') == {'ä': 1}


@pytest.mark.parametrize('content', ['{"a": 1}'.encode('utf-16'), b'\x80', b'ok\xff'])
def test_other_encodings_are_named(tmp_path, content):
    (tmp_path / 'a.txt').write_bytes(content)
    with pytest.raises(DamagedFileError, match=r'a\.txt: expected UTF-8 text'):
        read_text(tmp_path / 'a.txt')


@pytest.mark.parametrize('text', ['', '{', '[1,]', '[' * 100000, '\x00'])
def test_other_text_is_named(text):
    with pytest.raises(DamagedFileError, match='line 3: expected JSON'):
        parse_json(text, 'line 3')
