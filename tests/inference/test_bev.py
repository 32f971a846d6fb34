import json
import pickle
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from PIL import Image

pytest.importorskip('mmdet3d')
from hybrid_depth.apis import infer_bev, init_bev_model  # noqa: E402
from hybrid_depth.checkpoints.build import build_model  # noqa: E402
from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError  # noqa: E402
from hybrid_depth.errors import ConfigError  # noqa: E402
from hybrid_depth.geometry import CameraRig  # noqa: E402
from hybrid_depth.inference import bev_writer  # noqa: E402
from hybrid_depth.inference.bev import (  # noqa: E402
    KeyframeNotFoundError,
    by_scene,
    find_keyframe,
    frames_before,
    in_order,
    infer_sample,
    keyframes,
)
from tests.conftest import ROOT  # noqa: E402
from tests.datasets.roots import fake_root  # noqa: E402
from tests.hostile import payloads  # noqa: E402
from tests.tools.run import run_tool  # noqa: E402

CONFIG = ROOT / 'configs/toy/bevdet_plain_toy.py'


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """(info file of a fake root, checkpoint of random weights)."""
    folder = tmp_path_factory.mktemp('bev')
    model = build_model(Config.fromfile(CONFIG))
    torch.save(dict(state_dict=model.state_dict()), folder / 'a.pth')
    return fake_root(folder) / 'nuscenes_infos_train.pkl', folder / 'a.pth'


@pytest.fixture(scope='module')
def model(files):
    return init_bev_model(CONFIG, files[1])


def test_keyframe_by_index_and_by_token(model, files):
    first, last = infer_bev(model, files[0]), infer_bev(model, files[0], -1)
    again = infer_bev(model, files[0], last.metainfo['token'])
    assert first.metainfo['token'] != last.metainfo['token'] == again.metainfo['token']
    found, other = last.pred_instances_3d, again.pred_instances_3d
    assert torch.equal(found.bboxes_3d.tensor, other.bboxes_3d.tensor)
    assert found.bboxes_3d.tensor.shape == (len(found.scores_3d), 9) and len(found.scores_3d) > 0
    assert first.pred_depth.data.shape == (6, 12, 32)


def test_indices_from_the_end_are_places():
    assert [find_keyframe(range(6), index) for index in (-1, -6, 5)] == [5, 0, 5]


def test_keyframes_are_taken_sequence_by_sequence():
    dataset = SimpleNamespace(sequence_length=3, sequences=lambda: [[2, 0, 4], [1, 3]])
    assert in_order(dataset) == [2, 0, 4, 1, 3]
    assert [frames_before(dataset, place) for place in (2, 4, 3)] == [[], [2, 0], [1]]
    dataset.sequence_length = None
    assert frames_before(dataset, 4) == []


def test_result_equals_that_of_testing(model, files):
    """The same sample through the test loop's step, from a data set in another folder."""
    sample = infer_bev(model, files[0], 1, data_root=files[0].parent)
    dataset = keyframes(model, files[0])
    expected = infer_sample(model, dataset[1])
    assert torch.equal(
        sample.pred_instances_3d.bboxes_3d.tensor, expected.pred_instances_3d.bboxes_3d.tensor
    )
    assert dataset.test_mode and not model.training


def test_a_recurrent_model_gets_the_earlier_frames(files):
    model = init_bev_model(ROOT / 'configs/toy/fbbev_hybrid_history_toy.py')
    dataset = keyframes(model, files[0])
    first, second = next(s for s in dataset.sequences() if len(s) > 1)[:2]
    sample = infer_bev(model, files[0], second)
    infer_sample(model, dataset[first])
    expected = infer_sample(model, dataset[second])
    found = sample.pred_instances_3d.scores_3d
    assert torch.equal(found, expected.pred_instances_3d.scores_3d)
    model.temporal.enabled = False
    infer_sample(model, dataset[first])
    alone = infer_sample(model, dataset[second]).pred_instances_3d.scores_3d
    assert found.shape != alone.shape or not torch.allclose(found, alone)
    assert sorted(in_order(dataset)) == list(range(len(dataset)))


def test_errors_name_the_problem(model, files, tmp_path):
    with pytest.raises(FileNotFoundError, match='create-nuscenes-infos'):
        infer_bev(model, tmp_path / 'absent.pkl')
    with pytest.raises(KeyframeNotFoundError, match='0 to 5, or its token, got 6'):
        infer_bev(model, files[0], 6)
    with pytest.raises(KeyframeNotFoundError, match='strange'):
        infer_bev(model, files[0], 'strange')
    with pytest.raises(CheckpointMismatchError, match='a.pth'):
        init_bev_model('bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py', files[1])
    with pytest.raises(ConfigError, match='with a test_dataloader'):
        model_only = init_bev_model(Config(dict(model=model.cfg.model, default_scope='mmdet3d')))
        infer_bev(model_only, files[0])


@pytest.mark.filterwarnings('ignore:.*random weights')
def test_batches_give_the_boxes_of_single_keyframes(model, files, tmp_path, monkeypatch):
    written = []  # instead of images
    monkeypatch.setattr(bev_writer, 'write_keyframe', lambda sample, *_: written.append(sample))
    options = ('--config', CONFIG, '--checkpoint', files[1], '--index', 3, 0, 2)
    assert run_tool('infer_bev.py', files[0], tmp_path, *options, '--batch-size', 2) is None
    for index, found in zip((3, 0, 2), written, strict=True):
        single = infer_bev(model, files[0], index).pred_instances_3d
        boxes = found.pred_instances_3d.bboxes_3d.tensor
        torch.testing.assert_close(boxes, single.bboxes_3d.tensor, rtol=1e-3, atol=1e-3)
        assert torch.equal(found.pred_instances_3d.labels_3d, single.labels_3d)


def test_a_plan_is_kept_until_the_calibration_changes(model, files, monkeypatch):
    """Sums of a stream whose calibration changes on the way, against new plans for every frame."""
    transformer = model.img_view_transformer
    monkeypatch.setattr(transformer, 'kept_plans', 1)

    def forget() -> tuple:
        kept = transformer._plans, transformer._last
        transformer._plans, transformer._last = {}, (None, None)
        return kept

    forget()
    made, make = [], transformer._plan
    monkeypatch.setattr(transformer, '_plan', lambda rig: made.append(rig) or make(rig))
    data = model.data_preprocessor(pseudo_collate([keyframes(model, files[0])[0]]))['inputs']
    rig = data['rig']

    def changed(name: str, by: float) -> CameraRig:
        matrices = getattr(rig, name).clone()
        matrices[..., 0, -1] += by
        return replace(rig, **{name: matrices})

    stream = [rig, changed('cam2img', 0), changed('cam2img', 9), rig, rig]
    stream += [changed('cam2ego', 2), changed('img_aug', 5), changed('bda', 3), changed('bda', 3)]
    stream += [replace(rig, ego2global=rig.ego2global + 1), rig]
    with torch.no_grad():
        for count, now in zip((1, 1, 2, 3, 3, 4, 5, 6, 6, 7, 7), stream, strict=True):
            kept = model(dict(data, rig=now), mode='tensor')[0][0]['heatmap']
            assert len(made) == count
            plans = forget()
            new = model(dict(data, rig=now), mode='tensor')[0][0]['heatmap']
            assert torch.equal(kept, new)
            transformer._plans, transformer._last = plans
            made.pop()


@pytest.mark.filterwarnings('ignore:.*random weights')
def test_command_line(files, tmp_path, capsys):
    options = ('--config', CONFIG, '--checkpoint', files[1], '--score-thr', 0)
    assert run_tool('infer_bev.py', files[0], tmp_path, *options, '--index', 0, 2) is None
    assert 'of 2 keyframes' in capsys.readouterr().out
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name[:6] for name in names] == ['000000', '000000', '000002', '000002']
    described = json.loads((tmp_path / names[0]).read_text())
    scores = [box['score'] for box in described['boxes']]
    assert described['frame'] == 'lidar' and scores == sorted(scores, reverse=True)
    assert np.asarray(Image.open(tmp_path / names[1])).shape[1] > 1000
    error = run_tool('infer_bev.py', files[0], tmp_path, '--config', 'absent.py')
    assert error.startswith('error: Expected a config file')


def test_clip_with_tracks(files, tmp_path):
    # random weights: the prior of the heat map, 0.1, is a probability of 0.0026
    options = ('--config', CONFIG, '--checkpoint', files[1], '--score-thr', 0.0026)
    more = ('--all', '--video', 'gif', '--fps', 4, '--tracks')
    assert run_tool('infer_bev.py', files[0], tmp_path, *options, *more) is None
    scenes = {info['scene_token'] for info in pickle.loads(files[0].read_bytes())['data_list']}
    clips = [Image.open(path) for path in tmp_path.glob('*.gif')]
    assert len(clips) == len(scenes) and sum(clip.n_frames for clip in clips) == 6
    assert all(clip.size[0] <= 1920 and clip.info['duration'] == 250 for clip in clips)
    boxes = [b for path in tmp_path.glob('*.json') for b in json.loads(path.read_text())['boxes']]
    assert all(('track' in box) == (box['score'] >= 0.0026) for box in boxes)


def test_keyframes_scene_by_scene():
    infos = [dict(scene_token=token) for token in 'abab']
    dataset = SimpleNamespace(get_data_info=infos.__getitem__)
    assert by_scene(dataset, [3, 0, 1, 2]) == [3, 1, 0, 2]


@pytest.mark.parametrize('token', ['x/../../../evil', '/tmp/evil'])
def test_tokens_that_are_paths_stay_in_the_folder(files, tmp_path, token):
    content = pickle.loads(files[0].read_bytes())
    content['data_list'][0]['token'] = token
    infos, out = tmp_path / 'infos.pkl', tmp_path / 'a' / 'b' / 'out'
    infos.write_bytes(pickle.dumps(content))
    options = ('--config', CONFIG, '--checkpoint', files[1], '--root', files[0].parent)
    assert run_tool('infer_bev.py', infos, out, *options) is None
    written = [path for path in tmp_path.rglob('*') if path.is_file() and path != infos]
    assert {path.parent for path in written} == {out} and len(written) == 2


def test_code_in_an_info_file_is_not_run(files, tmp_path):
    content, marker = pickle.loads(files[0].read_bytes()), tmp_path / 'code-has-run'
    (tmp_path / 'infos.pkl').write_bytes(pickle.dumps(dict(content, x=payloads(marker)['exec'])))
    options = ('--config', CONFIG, '--checkpoint', files[1], '--root', files[0].parent)
    error = run_tool('infer_bev.py', tmp_path / 'infos.pkl', tmp_path / 'out', *options)
    assert error.startswith('error: ') and 'infos.pkl: expected numbers' in error
    assert not marker.exists() and not (tmp_path / 'out').exists()


def test_boxes_are_described_by_their_centre(model, files, tmp_path):
    from hybrid_depth.inference.bev_writer import describe_boxes

    sample = infer_bev(model, files[0])
    box = describe_boxes(sample, [str(i) for i in range(10)])['boxes'][0]
    best = sample.pred_instances_3d.scores_3d.argmax()
    row = sample.pred_instances_3d.bboxes_3d.tensor[best].tolist()
    assert box['size'] == pytest.approx(row[3:6]) and box['yaw'] == pytest.approx(row[6])
    assert box['velocity'] == pytest.approx(row[7:9]) and row[7:9] != row[6:8]
    assert box['centre'][2] == pytest.approx(row[2] + row[5] / 2, abs=1e-5)
    assert box['name'] == str(int(sample.pred_instances_3d.labels_3d[best]))
