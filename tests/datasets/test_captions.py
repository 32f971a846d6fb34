import json

import pytest

from hybrid_depth.datasets.captions import read_texts, write_texts
from hybrid_depth.errors import DepthDataError


def test_round_trip_sorted_and_with_any_characters(tmp_path):
    texts = {'b/2.png': ['eine Straße', 'zwei\nZeilen'], 'a/1.png': []}
    write_texts(texts, tmp_path / 'texts.jsonl')
    lines = (tmp_path / 'texts.jsonl').read_text().splitlines()
    assert [json.loads(line)['image'] for line in lines] == ['a/1.png', 'b/2.png']
    assert read_texts(tmp_path / 'texts.jsonl') == texts


GOOD = '{"image": "a.png", "texts": ["x"]}'


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (f'{GOOD}\n{{', r':2: expected \{"image"'),
        (f'{GOOD}\n\n', ':2: expected'),
        ('[1]', ':1: expected'),
        ('null', ':1: expected'),
        ('{"image": "a.png"}', ':1: expected'),
        ('{"image": "a.png", "texts": "x"}', ':1: expected'),
        ('{"image": "a.png", "texts": [3]}', ':1: expected'),
        ('{"image": 3, "texts": ["x"]}', ':1: expected'),
        ('{"image": "a.png", "texts": ["x"], "depth": 3}', ':1: expected'),
        (f'{GOOD}\n{GOOD}', ':2: a.png has a line already'),
        (b'\xff\xfe', 'UTF-8'),
    ],
)
def test_bad_files_name_the_line(tmp_path, content, message):
    path = tmp_path / 'texts.jsonl'
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DepthDataError, match=message):
        read_texts(path)


def test_a_missing_file_names_the_tools(tmp_path):
    with pytest.raises(FileNotFoundError, match='make-captions'):
        read_texts(tmp_path / 'none.jsonl')
