"""DepthMetric: matching, averaging, output and errors."""

import json

import numpy as np
import pytest
import torch

from hybrid_depth.datasets.label_images import write_label_image
from hybrid_depth.depth.evaluation.metric import DepthMetric
from hybrid_depth.errors import DepthDataError

TRUTH = np.random.default_rng(0).uniform(2, 60, (3, 12, 40)).astype(np.float32)
NAMES = ('b', 'a', 'c')
WHOLE = dict(name='whole')


@pytest.fixture
def truth(tmp_path):
    """A folder of maps, in another order than the samples."""
    (tmp_path / 'gt').mkdir()
    for name, depth in zip(NAMES, TRUTH, strict=True):
        np.save(tmp_path / 'gt' / f'{name}.npy', depth)
    return str(tmp_path / 'gt')


def samples(*factors: float) -> list[dict]:
    """Predicted depth of the first maps, each scaled by a factor, in reverse order."""
    return [
        dict(
            pred_depth=torch.from_numpy(TRUTH[place][None] * factors[place]),
            kind='metric',
            name=NAMES[place],
            img_path=f'{NAMES[place]}.jpg',
        )
        for place in reversed(range(len(factors)))
    ]


def score(metric: DepthMetric, found: list[dict]) -> dict:
    metric.process({}, found)
    return metric.evaluate(len(found))


def test_samples_are_matched_by_name(truth, tmp_path):
    metric = DepthMetric(truth, dict(WHOLE, scaling='none'), out_dir=str(tmp_path / 'out'))
    values = score(metric, samples(1.0, 1.1, 1.2))
    clipped = np.mean(np.minimum(1.1 * TRUTH[1], 80) / TRUTH[1] - 1)
    clipped += np.mean(np.minimum(1.2 * TRUTH[2], 80) / TRUTH[2] - 1)
    assert values['depth/abs_rel'] == pytest.approx(clipped / 3, rel=1e-5)
    report = json.loads((tmp_path / 'out/depth_metrics.json').read_text())
    assert report['metrics']['abs_rel'] == values['depth/abs_rel']
    for row in report['distances']:
        name = 'depth/{:g}-{:g}m/abs_rel'.format(*row['metres'])
        assert values.get(name) == row.get('abs_rel')
    assert report['kind'] == 'metric' and report['image_formats'] == ['.jpg']


@pytest.mark.parametrize(('scaling', 'error'), [('median', 0.0), ('set_median', 0.5 / 3)])
def test_scale_of_each_image_or_of_the_set(truth, scaling, error):
    """The scale of the set is 2: right for two images, half of what the third one needs."""
    values = score(DepthMetric(truth, dict(WHOLE, scaling=scaling)), samples(0.5, 0.5, 0.25))
    assert values['depth/abs_rel'] == pytest.approx(error, abs=1e-6)
    ratios = np.array([2.0, 2, 4]) / 2
    assert values['depth/scale_spread'] == pytest.approx(ratios.std(), rel=1e-5)


def test_disparity_and_maps_without_names(tmp_path):
    np.save(tmp_path / 'gt.npy', TRUTH)
    metric = DepthMetric(str(tmp_path / 'gt.npy'), dict(WHOLE, scaling='none'))
    found = [
        dict(pred_disparity=torch.from_numpy(1 / TRUTH[place][None]), sample_idx=place)
        for place in (2, 0, 1)
    ]
    assert score(metric, found)['depth/abs_rel'] == pytest.approx(0, abs=1e-6)
    with pytest.raises(DepthDataError, match='3 maps and image 3'):
        metric.process({}, [dict(found[0], sample_idx=3)])


@pytest.mark.parametrize('scaling', ['none', 'set_median'])
def test_other_modes_of_a_model_get_a_row(truth, scaling, tmp_path):
    """Twice the depth in the single-frame mode: no error but that of its scale."""
    found = [
        dict(sample, pred_depth_single_frame=2 * sample['pred_depth'])
        for sample in samples(1.0, 1.0, 0.5)
    ]
    metric = DepthMetric(truth, dict(WHOLE, scaling=scaling), out_dir=str(tmp_path))
    values = score(metric, found)
    alone = score(DepthMetric(truth, dict(WHOLE, scaling=scaling)), samples(1.0, 1.0, 0.5))
    assert alone.items() <= values.items()
    if scaling == 'set_median':
        expected = values['depth/abs_rel']
    else:
        twice = DepthMetric(truth, dict(WHOLE, scaling=scaling))
        expected = score(twice, samples(2.0, 2.0, 1.0))['depth/abs_rel']
    assert values['depth/single_frame/abs_rel'] == pytest.approx(expected, rel=1e-5)
    report = json.loads((tmp_path / 'depth_metrics.json').read_text())
    assert report['modes']['single_frame']['abs_rel'] == values['depth/single_frame/abs_rel']


def test_mismatched_samples_are_rejected(truth):
    metric = DepthMetric(truth, dict(WHOLE, scaling='none'))
    (sample,) = samples(1.0)
    with pytest.raises(FileNotFoundError, match='named z'):
        metric.process({}, [dict(sample, name='z')])
    with pytest.raises(DepthDataError, match='relative depth needs'):
        metric.process({}, [dict(sample, kind='relative')])
    with pytest.raises(DepthDataError, match='expected pred_disparity'):
        metric.process({}, [dict(sample, kind='disparity')])
    mixed = [sample, dict(sample, kind='disparity', pred_disparity=1 / sample['pred_depth'])]
    with pytest.raises(DepthDataError, match=r"one kind, got \['disparity', 'metric'\]"):
        score(metric, mixed)
    with pytest.raises(FileNotFoundError, match='export-gt'):
        DepthMetric(truth + '/absent')


@pytest.mark.parametrize('scaling', ['none', 'set_median'])
def test_truth_and_crop_of_the_samples(scaling):
    """Samples with their own truth need no files; outside their crop nothing is compared."""
    found = []
    for place, name in enumerate(NAMES):
        depth = 1.25 * TRUTH[place][3:, 2:38]
        sample = dict(pred_depth=torch.from_numpy(depth[None]), kind='metric', name=name)
        found.append(dict(sample, truth=torch.from_numpy(TRUTH[place]), crop=(2, 3, 38, 12)))
    values = score(DepthMetric(protocol=dict(WHOLE, scaling=scaling)), found)
    error = np.abs(np.minimum(1.25 * TRUTH[:, 3:, 2:38], 80) / TRUTH[:, 3:, 2:38] - 1).mean()
    expected = {'none': error, 'set_median': 0}[scaling]
    assert values['depth/abs_rel'] == pytest.approx(expected, abs=1e-6)
    if scaling == 'set_median':
        assert values['depth/unscaled/abs_rel'] == pytest.approx(error, rel=1e-5)
    assert values.get('depth/median_scaled/abs_rel', 0) == pytest.approx(0, abs=1e-6)
    metric = DepthMetric(protocol=dict(WHOLE, scaling=scaling))
    with pytest.raises(DepthDataError, match='ground truth of b in the sample.*KeepTruth'):
        metric.process({}, [{k: v for k, v in found[0].items() if k != 'truth'}])


@pytest.mark.parametrize('scaling', ['none', 'set_median'])
def test_moving_pixels_of_every_mode(truth, scaling, tmp_path):
    """Twice the depth on the left; only the first image has moving pixels, on the left."""
    prediction = np.where(np.arange(40) < 10, 2, 1) * TRUTH[:2]
    found = []
    for place, columns in enumerate((10, 0)):
        moving = np.zeros(TRUTH.shape[1:], np.uint8)
        moving[:, :columns] = 255
        write_label_image(moving, tmp_path / f'{place}.png')
        depth = torch.from_numpy(prediction[place][None])
        sample = dict(
            pred_depth=depth,
            pred_depth_single_frame=torch.from_numpy(TRUTH[place][None]),
            kind='metric',
        )
        path = str(tmp_path / f'{place}.png')
        found.append(dict(sample, name=NAMES[place], moving_path=path))
    protocol = dict(WHOLE, scaling=scaling, clamp=(0.001, 200))
    values = score(DepthMetric(truth, protocol, out_dir=str(tmp_path)), found)
    scale = json.loads((tmp_path / 'depth_metrics.json').read_text())['scale']['median']
    scale = scale if scaling == 'set_median' else 1
    assert values['depth/moving/abs_rel'] == pytest.approx(abs(2 * scale - 1), rel=1e-5)
    static = [abs(scale - 1), (10 * abs(2 * scale - 1) + 30 * abs(scale - 1)) / 40]
    assert values['depth/static/abs_rel'] == pytest.approx(np.mean(static), rel=1e-5)
    for part in ('moving', 'static'):
        assert values[f'depth/single_frame/{part}/abs_rel'] == pytest.approx(0, abs=1e-6)
    report = json.loads((tmp_path / 'depth_metrics.json').read_text())
    assert {name: row['images'] for name, row in report['motion'].items()} == {
        'moving': 1,
        'static': 2,
        'single_frame/moving': 1,
        'single_frame/static': 2,
    }


def test_masks_are_read(truth, tmp_path):
    metric = DepthMetric(truth, dict(WHOLE, scaling='none'))
    (sample,) = samples(1.0)
    with pytest.raises(FileNotFoundError, match='label image .*absent.png'):
        metric.process({}, [dict(sample, moving_path=str(tmp_path / 'absent.png'))])
    write_label_image(np.zeros((40, 12), np.uint8), tmp_path / 'mask.png')
    with pytest.raises(DepthDataError, match=r'b: .*\(12, 40\) of the ground truth.*\(40, 12\)'):
        metric.process({}, [dict(sample, moving_path=str(tmp_path / 'mask.png'))])
