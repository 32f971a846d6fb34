"""The benchmark towers at tiny sizes: windows and captions, trainings, files, checks."""

import dataclasses
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS

from benchmarks import tower_checks, tower_dino, tower_training, towers
from benchmarks.tower_clip import class_chances, train_clip
from benchmarks.tower_crops import (
    CAPTIONS,
    CLASSES,
    SEED,
    CropSet,
    Windows,
    distance_caption,
    make_windows,
    plain_caption,
    read_windows,
)
from benchmarks.tower_dino import real_frames
from benchmarks.tower_training import Schedule
from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.errors import OutputInUseError
from hybrid_depth.foundation import DEPTH_WORDS
from hybrid_depth.foundation.object_sentences import WORD_EDGES

TINY = CropSet(scenes=2, held_out=1, frames=2)
SCHEDULES = dict(clip=Schedule(steps=3, batch=8), dino=Schedule(steps=2, batch=2))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp('towers')
    make_windows(TINY, out / 'crops', workers=1)
    return out


@pytest.fixture(scope='module')
def windows(folder):
    return read_windows(TINY, folder / 'crops', 'train')


def test_held_out_scenes_are_of_no_training_and_of_no_study(windows):
    crops = CropSet()
    train, held_out = (set(crops.indices(part)) for part in ('train', 'held_out'))
    assert len(train) == crops.scenes and len(held_out) == crops.held_out
    assert not train & held_out
    assert crops.seed == SEED >= 1000  # studies have seeds below


def test_other_windows_in_the_folder_are_refused(folder):
    with pytest.raises(OutputInUseError, match='frames'):
        make_windows(dataclasses.replace(TINY, frames=3), folder / 'crops', workers=1)


def test_windows_show_their_object_at_the_native_scale(windows):
    pixels = windows.pixels(np.arange(len(windows)))
    assert pixels.shape == (len(windows), 64, 64, 3)
    beyond = windows.image >= len(windows.kitti)
    assert beyond.any() and not beyond.all()
    last = np.flatnonzero(beyond)[-1]
    x, y = windows.corner[last]
    image = windows.surround[windows.image[last] - len(windows.kitti)]
    np.testing.assert_array_equal(pixels[last], image[y : y + 64, x : x + 64])
    left, right, top, bottom = windows.box.T
    assert (left <= 40).all() and (right >= 24).all()  # reaches the middle columns
    assert (bottom >= top).all() and (windows.distance > 0).all()


def test_near_objects_are_larger(windows):
    """The windows let distance be seen: heights in pixels fall with it."""
    height = windows.box[:, 3] - windows.box[:, 2] + 1
    assert tower_checks.rank_correlation(height, windows.distance) < -0.5


def test_captions_differ_in_the_distance_alone(windows):
    words = {w for text in DEPTH_WORDS for w in text.split()} | {'near', 'far', 'away', 'metres'}
    for i in range(len(windows)):
        first, second = distance_caption(windows, i), plain_caption(windows, i)
        subject = second.removeprefix('This is a ')
        place = np.searchsorted(WORD_EDGES, windows.distance[i])
        assert first == f'This {subject} appears to be {DEPTH_WORDS[place]}'
        assert subject.startswith(CLASSES[windows.label[i]].replace('_', ' '))
        assert not words & set(re.findall(r'\w+', second))


def test_companions_are_named(windows):
    row = dict(
        label=np.array([0, 0, 5]), companion=np.array([-1, 0, 4]), distance=np.array([4, 60, 9])
    )
    some = Windows(**{**vars(windows), **row})
    assert [plain_caption(some, i) for i in range(3)] == [
        'This is a car',
        'This is a car with another car',
        'This is a pedestrian with a construction vehicle',
    ]
    assert [distance_caption(some, i).split(' be ')[1] for i in range(3)] == [
        'very close',
        'very distant',
        'slightly close',
    ]


def test_joined_scenes_keep_their_images(folder):
    crops = folder / 'crops'
    parts = [read_windows(TINY, crops, part) for part in ('train', 'held_out')]
    joined = Windows.concatenate(parts)
    index = np.arange(len(joined))
    apart = np.concatenate([part.pixels(np.arange(len(part))) for part in parts])
    np.testing.assert_array_equal(joined.pixels(index), apart)


def test_rare_classes_are_drawn_more_often_than_they_occur():
    labels = np.repeat([0, 1], [90, 10])
    chance = class_chances(labels)
    np.testing.assert_allclose([chance[labels == k].sum() for k in (0, 1)], [0.75, 0.25])


def test_a_killed_training_continues_to_equal_weights(windows, tmp_path, monkeypatch):
    clip = towers.encoder_config('bev')['clip']
    arguments = (clip, windows, CAPTIONS['clip_plain'], SCHEDULES['clip'], {'tower': 'bev'})
    train_clip(*arguments, tmp_path / 'whole.pth')
    monkeypatch.setattr(tower_training, '_SAVED_EVERY', 0.0)
    original, steps = tower_training.Schedule.rate_at, []

    def killed(self, step):
        steps.append(step)
        if steps == [0, 1]:
            raise KeyboardInterrupt
        return original(self, step)

    monkeypatch.setattr(tower_training.Schedule, 'rate_at', killed)
    with pytest.raises(KeyboardInterrupt):
        train_clip(*arguments, tmp_path / 'parts.pth')
    torch.manual_seed(1)
    train_clip(*arguments, tmp_path / 'parts.pth')
    assert steps == [0, 1, 1, 2]
    whole, parts = (load_checkpoint_file(tmp_path / f'{n}.pth') for n in ('whole', 'parts'))
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[key], parts[key]) for key in whole)
    with pytest.raises(OutputInUseError, match='tower'):
        train_clip(*arguments[:4], {'tower': 'other'}, tmp_path / 'parts.pth')


def test_rates_rise_and_fall():
    schedule = Schedule(steps=100, batch=1, rate=1.0)
    rates = [schedule.rate_at(step) for step in range(100)]
    assert rates[0] == 0.2 and max(rates) == rates[4] < 1.0 and rates[-1] < 0.01


def test_towers_load_by_one_entry_each(folder, capsys):
    pytest.importorskip('lightly')
    towers.main(str(folder), ['bev'], towers.TOWERS, None, SCHEDULES, TINY)
    assert 'toy images alone' in capsys.readouterr().out
    cfg = towers.encoder_config('bev')
    cfg['clip']['pretrained'] = str(folder / 'bev' / 'clip_distance.pth')
    cfg['dino']['pretrained'] = str(folder / 'bev' / 'dino.pth')
    encoder = MODELS.build(cfg)
    saved = load_checkpoint_file(folder / 'bev' / 'clip_distance.pth')
    weight = encoder.clip.visual.layer4[0].conv1.weight
    assert torch.equal(weight, saved['visual.layer4.0.conv1.weight'])
    assert torch.equal(encoder.language.tower.text_projection, saved['text_projection'])
    saved = load_checkpoint_file(folder / 'bev' / 'dino.pth')['teacher']
    assert saved['backbone.blocks.0.ls1.gamma'].min() > 0.9  # not 1e-5
    assert torch.equal(encoder.dino.vit.pos_embed, saved['backbone.pos_embed'])
    rows = (folder / 'table.md').read_text().splitlines()
    assert [row.split(' | ')[0] for row in rows[2:]] == [
        '| no tower: size and place of the object',
        *(f'| bev/{name}{r}' for name in towers.TOWERS for r in ('', ', random')),
    ]
    scores = json.loads((folder / 'bev' / 'clip_plain.json').read_text())
    assert scores['recipe']['steps'] == 3 and scores['minutes'] > 0


def test_dino_sees_real_frames(toy_kitti):
    frames = real_frames(toy_kitti)
    assert frames.shape[1:] == (64, 192, 3) and len(frames) > 2
    assert len(real_frames(None)) == 0


def test_dino_compares_pieces_of_one_window(monkeypatch):
    monkeypatch.setattr(tower_dino, 'augmented', lambda images, rng: images)
    column = np.broadcast_to(np.arange(192, dtype=np.uint8)[:, None], (8, 64, 192, 3))
    empty = np.zeros((0, 96, 256, 3), np.uint8)
    windows = SimpleNamespace(kitti=column, surround=empty)
    dino = dict(img_size=16, mean=(0, 0, 0), std=(1 / 255,) * 3)
    pieces = tower_dino._Pieces(windows, empty, dino)
    large, small = pieces.draw(32, np.random.default_rng(0))
    assert large.shape == (64, 3, 16, 16) and small.shape == (128, 3, 8, 8)
    centres = torch.cat([large.mean((1, 2, 3)).view(2, 32), small.mean((1, 2, 3)).view(4, 32)])
    spread = centres.amax(0) - centres.amin(0)
    assert spread.max() < 64 - 20 and centres.max() - centres.min() > 80


def test_the_probe_reads_a_linear_code_and_nothing_from_noise():
    rng = np.random.default_rng(0)
    distance = np.exp(rng.uniform(1, 4, 400))
    code = np.stack([3 * np.log(distance) + 1, rng.normal(size=400)], 1)
    exact = tower_checks.linear_probe(code[:200], distance[:200], code[200:], distance[200:])
    assert exact['r2'] > 0.999 and exact['median_error'] < 0.01
    noise = rng.normal(size=(400, 3))
    none = tower_checks.linear_probe(noise[:200], distance[:200], noise[200:], distance[200:])
    assert none['r2'] < 0.05 and none['median_error'] > 0.3


def test_class_accuracies_are_means_over_classes():
    labels = np.array([0] * 9 + [1])
    assert tower_checks.class_accuracy(np.zeros(10, int), labels) == 0.5
    known = np.eye(2)
    found = tower_checks.neighbour_class(known, np.array([4, 7]), np.array([[0.1, 1], [1, 0]] * 4))
    np.testing.assert_array_equal(found, [7, 4] * 4)
