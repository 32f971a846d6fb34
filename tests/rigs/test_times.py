"""Times of files in all forms."""

import numpy as np
import pytest

from hybrid_depth.rigs.times import find_files, in_order, times_of
from tests.borders.refusal import refused


def files(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


@pytest.mark.parametrize(
    ('spec', 'names', 'expected'),
    [
        ('us', ['a_1500000.jpg', 'a_2000000.jpg'], [1.5, 2.0]),
        ('s', ['1.25.png', '1.75.png'], [1.25, 1.75]),
        ('ns', ['cam2_1000000000.jpg', 'cam2_3000000000.jpg'], [1.0, 3.0]),
        (dict(hz=10), ['f_000003.jpg', 'f_000004.jpg'], [0.3, 0.4]),
        (dict(csv='t.csv'), ['front/x.jpg', 'front/y.jpg'], [7.5, 8.25]),
    ],
)
def test_forms(spec, names, expected, tmp_path):
    (tmp_path / 't.csv').write_text('file,seconds\nfront/x.jpg, 7.5\ny.jpg,8.25\n')
    assert np.allclose(times_of(files(tmp_path, *names), spec, tmp_path, 'front'), expected)


@pytest.mark.parametrize(
    ('spec', 'words'),
    [
        ('min', ('front', 'ms, us, ns', 'min')),
        ({}, ('front', 'one of hz, csv', 'got none')),
        (dict(hz=0), ('above 0',)),
        (dict(csv='t.csv'), ('front/b.jpg', 't.csv', 'a.jpg')),
        (dict(csv='text.csv'), ('line 2', 'file, seconds')),
        ('us', ('a number in the name of', 'front/b.jpg')),
    ],
)
def test_other_forms_are_refused(spec, words, tmp_path):
    (tmp_path / 't.csv').write_text('a.jpg,1\n')
    (tmp_path / 'text.csv').write_text('file,seconds\nb.jpg,noon\n')
    with refused(*words):
        times_of(files(tmp_path, 'front/b.jpg'), spec, tmp_path, 'front')


def test_order_of_time_is_not_that_of_names(tmp_path):
    paths = files(tmp_path, 'a.jpg', 'b.jpg', 'c.jpg')
    found, times = in_order(paths, np.array([0.2, 0.1, 0.3]), 'front')
    assert [path.stem for path in found] == ['b', 'a', 'c'] and times.tolist() == [0.1, 0.2, 0.3]


def test_equal_times_are_refused(tmp_path):
    with refused('front', 'a.jpg and b.jpg'):
        in_order(files(tmp_path, 'a.jpg', 'b.jpg'), np.array([1.0, 1.0]), 'front')


def test_absent_files_name_what_is_there(tmp_path):
    files(tmp_path, 'frnt/a.jpg', 'poses.txt')
    with refused('front/*.jpg', 'frnt/, poses.txt', 'remove this camera'):
        find_files(tmp_path, 'front/*.jpg', 'front')
