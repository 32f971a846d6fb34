"""Digests of what outputs are made from."""

import os

from hybrid_depth.digests import CONTENT_LIMIT, Origins, differences, digest, file_digest


def test_small_files_count_by_content_and_large_ones_by_size_and_time(tmp_path):
    small, large = tmp_path / 'small', tmp_path / 'large'
    assert file_digest(small) == 'absent'
    small.write_bytes(b'a')
    before = file_digest(small)
    os.utime(small, ns=(1, 1))
    assert file_digest(small) == before
    small.write_bytes(b'b')
    os.utime(small, ns=(1, 1))
    assert file_digest(small) != before
    large.write_bytes(bytes(CONTENT_LIMIT + 1))
    before = file_digest(large)
    os.utime(large, ns=(1, 1))
    assert file_digest(large) != before


def test_differences():
    assert differences(dict(a='1', b='2', c='3'), dict(a='1', b='3', d='4')) == ['b', 'c', 'd']
    assert digest([1, 'a']) != digest([1, 'b'])


def test_records_survive_a_kill(tmp_path):
    path = tmp_path / 'origins.jsonl'
    Origins(path).add('x', dict(a='1'))
    with open(path, 'a') as file:
        file.write('\n{"file": "y", "made')
    Origins(path).add('z', dict(a='1'))
    Origins(path).add('x', dict(a='2'))
    found = Origins(path)
    assert found.differences('x', dict(a='2')) == found.differences('z', dict(a='1')) == []
    assert found.differences('x', dict(a='1')) == found.differences('y', dict(a='1')) == ['a']
