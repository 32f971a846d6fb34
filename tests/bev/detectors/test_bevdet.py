"""BEVDet with refinement and history on toy key frames: losses, prediction, sequences."""

import copy
import pickle
from types import SimpleNamespace

import pytest
import torch
from mmdet3d.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.hooks import DistSamplerSeedHook
from mmengine.registry import DefaultScope
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from hybrid_depth.bev.datasets import nuscenes
from hybrid_depth.bev.hooks.depth_first import DepthFirstHook
from hybrid_depth.bev.hooks.sequential_control import SequentialControlHook
from hybrid_depth.bev.parts import Frame
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from tests.bev.toy import training_keyframe
from tests.conftest import ROOT

HISTORY = 'fbbev_hybrid_history_toy'


@pytest.fixture(scope='module')
def keyframes(toy_nuscenes, tmp_path_factory) -> list[dict]:
    """Two key frames of a scene, numbered as a sequence."""
    folder = tmp_path_factory.mktemp('infos')
    return [training_keyframe(HISTORY, toy_nuscenes, folder, index) for index in range(2)]


def toy_model(name: str, **options) -> torch.nn.Module:
    cfg = Config.fromfile(ROOT / f'configs/toy/{name}.py')
    cfg.merge_from_dict(dict(model=options))
    return build_model(cfg)


def batch_of(model: torch.nn.Module, *samples: dict) -> tuple[dict, list]:
    data = model.data_preprocessor(pseudo_collate(copy.deepcopy(list(samples))), True)
    return data['inputs'], data['data_samples']


def test_every_part_gets_a_gradient(keyframes):
    model = toy_model(HISTORY).train()
    losses = {}
    for sample in keyframes:
        losses = model.loss(*batch_of(model, sample))
    assert {'loss_mask_ce', 'loss_mask_dice', 'loss_depth_lidar', 'task0.loss_heatmap'} <= set(
        losses
    )
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    for part in ('backward_projection', 'foreground_proposal', 'history_fusion', 'img_backbone'):
        without = [
            name
            for name, p in getattr(model, part).named_parameters()
            if p.requires_grad
            and (p.grad is None or not p.grad.abs().sum() > 0)
            # behind weights that are initially zero: gradients from the second step on
            and 'positional_encoding' not in name
        ]
        assert not without, f'{part}: {without}'
    names = dict(model.named_parameters())
    assert all(torch.isfinite(p.grad).all() for p in names.values() if p.grad is not None)


@pytest.mark.parametrize('teacher_forcing', [True, False])
def test_ground_truth_cells_are_refined_in_training(keyframes, teacher_forcing):
    """Independent of the proposal, which is empty here."""
    proposal = dict(type='ForegroundProposal', teacher_forcing=teacher_forcing)
    model = toy_model('fbbev_hybrid_toy', refine=dict(foreground_proposal=proposal)).train()
    kept = []
    model.backward_projection.register_forward_pre_hook(lambda _, args: kept.append(args[4]))
    torch.nn.init.constant_(model.foreground_proposal.mask_net[-1].bias, -100.0)
    inputs, samples = batch_of(model, keyframes[0])
    model.loss(inputs, samples)
    with torch.no_grad():
        model.eval().extract_feat(inputs, samples)
    boxes = samples[0].gt_instances_3d.bboxes_3d
    assert len(boxes) > 0 == kept[1].sum()
    assert kept[0].sum() >= len(boxes) if teacher_forcing else kept[0].sum() == 0


def test_loss_weights(keyframes):
    model = toy_model('fbbev_hybrid_toy').eval()
    batch = batch_of(model, keyframes[0])
    with torch.no_grad():
        whole = model.loss(*batch)
        model.loss_weights.update(depth=0.5, detection=2.0)
        weighted = model.loss(*batch)
    assert {'loss_depth_lidar', 'loss_mask_ce', 'task0.loss_heatmap'} <= set(whole)
    assert set(weighted) == set(whole)
    for name, value in whole.items():
        factor = 0.5 if name in ('loss_depth_lidar', 'loss_semantics') else 2.0
        torch.testing.assert_close(weighted[name], factor * value)


def test_predicted_boxes_leave_the_frame_of_the_boxes(keyframes):
    """For the LiDAR frame; the rig's own frame may be another one."""
    model = toy_model('bevdet_plain_toy').eval()
    inputs, (sample,) = batch_of(model, keyframes[0])
    centres = []
    for shift in (0.0, 2.0):
        lidar2boxes = sample.lidar2ego.copy()
        lidar2boxes[0, 3] += shift
        sample.set_metainfo(dict(lidar2boxes=lidar2boxes))
        with torch.no_grad():
            (found,) = model.predict(inputs, [sample])
        centres.append(found.pred_instances_3d.bboxes_3d.gravity_center.double())
    assert len(centres[0]) > 0
    moved = centres[0] - torch.from_numpy(sample.lidar2ego[:3, :3].T)[:, 0] * 2.0
    torch.testing.assert_close(centres[1], moved, atol=1e-4, rtol=0)


def test_history_changes_the_second_frame_only(keyframes):
    model = toy_model(HISTORY).eval()
    encoded = {}
    with torch.no_grad():
        for enabled in (False, True):
            model.temporal.enabled = enabled
            encoded[enabled] = [
                model.extract_feat(*batch_of(model, sample))[0] for sample in keyframes
            ]
    torch.testing.assert_close(encoded[True][0], encoded[False][0])
    assert (encoded[True][1] - encoded[False][1]).abs().max() > 1e-4


def test_shuffled_samples_are_an_error(keyframes):
    model = toy_model(HISTORY).eval()
    with torch.no_grad():
        for model.temporal.enabled in (True, False):  # during the warm-up too
            with pytest.raises(ValueError, match='SequenceBatchSampler'):
                model.predict(*batch_of(model, keyframes[1]))


def test_testing_does_not_change_the_training_history(keyframes):
    model = toy_model(HISTORY)
    model.train().loss(*batch_of(model, keyframes[0]))
    with torch.no_grad():
        model.eval().predict(*batch_of(model, keyframes[0]))
        model.predict(*batch_of(model, keyframes[1]))
    losses = model.train().loss(*batch_of(model, keyframes[1]))
    assert all(torch.isfinite(value).all() for value in losses.values())


def test_training_uses_sequences_and_enables_history_later(toy_nuscenes, tmp_path):
    """With a loader built by mmengine, and hooks called as in its loop."""
    create_nuscenes_infos(toy_nuscenes, 'v1.0-mini', tmp_path)
    cfg = Config.fromfile(ROOT / f'configs/toy/{HISTORY}.py').train_dataloader
    cfg.dataset.dataset.update(
        data_root=str(toy_nuscenes), ann_file=str(tmp_path / 'nuscenes_infos_train.pkl')
    )
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        loader = Runner.build_dataloader(cfg, seed=0)
    model = toy_model(HISTORY).train()
    ages = []
    model.history_fusion.time_conv.register_forward_pre_hook(
        lambda _, args: ages.append(args[0][:, -1].max().item())
    )
    runner = SimpleNamespace(model=model, train_loop=SimpleNamespace(dataloader=loader))
    for epoch in range(2):
        runner.epoch = epoch
        SequentialControlHook(start_epoch=1).before_train_epoch(runner)
        DistSamplerSeedHook().before_train_epoch(runner)
        assert loader.batch_sampler.sampler.epoch == epoch
        assert len(loader) == len(list(loader.batch_sampler)) == 2
        for batch in loader:
            data = model.data_preprocessor(batch, True)
            model.loss(data['inputs'], data['data_samples'])
    assert ages == [0, 0, 0, 0.5]


@pytest.mark.parametrize('hook', [SequentialControlHook(), DepthFirstHook(epochs=1)])
def test_epoch_hooks_reject_iteration_based_loops(hook):
    runner = SimpleNamespace(train_loop=IterBasedTrainLoop.__new__(IterBasedTrainLoop))
    with pytest.raises(ValueError, match=f'{type(hook).__name__}.*by_epoch=True'):
        hook.before_train(runner)
    runner.train_loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    hook.before_train(runner)


def test_info_files_without_order_give_a_warning(toy_nuscenes, tmp_path, monkeypatch):
    logged = []
    monkeypatch.setattr(nuscenes, 'print_log', lambda message, **_: logged.append(message))
    create_nuscenes_infos(toy_nuscenes, 'v1.0-mini', tmp_path)
    path = tmp_path / 'nuscenes_infos_train.pkl'
    infos = pickle.loads(path.read_bytes())
    for info in infos['data_list']:
        del info['prev']
    path.write_bytes(pickle.dumps(infos))
    cfg = Config.fromfile(ROOT / f'configs/toy/{HISTORY}.py').train_dataloader.dataset.dataset
    cfg.update(data_root=str(toy_nuscenes), ann_file=str(path))
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        dataset = DATASETS.build(cfg)
    assert all(len(sequence) == 1 for sequence in dataset.sequences())
    assert 'has no order of frames (prev)' in logged[0]


def test_a_frame_without_boxes_is_kept_in_its_sequence(toy_nuscenes, tmp_path):
    create_nuscenes_infos(toy_nuscenes, 'v1.0-mini', tmp_path)
    path = tmp_path / 'nuscenes_infos_train.pkl'
    infos = pickle.loads(path.read_bytes())
    infos['data_list'][1]['instances'] = []
    path.write_bytes(pickle.dumps(infos))
    cfg = Config.fromfile(ROOT / f'configs/toy/{HISTORY}.py').train_dataloader.dataset.dataset
    cfg.update(data_root=str(toy_nuscenes), ann_file=str(path))
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        dataset = DATASETS.build(cfg)
    samples = [dataset[index] for sequence in dataset.sequences() for index in sequence]
    model = toy_model(HISTORY).train()
    for sample in samples:
        losses = model.loss(*batch_of(model, sample))
    assert len(samples[1]['data_samples'].gt_instances_3d.labels_3d) == 0
    assert all(torch.isfinite(value).all() for value in losses.values())


def test_samples_without_sequence_are_an_error(keyframes):
    model = toy_model(HISTORY).eval()
    inputs, samples = batch_of(model, keyframes[0])
    samples[0].set_metainfo(dict(sequence=None))
    del samples[0].sequence
    with pytest.raises(ValueError, match='sequence_length of NuScenesBEVDataset'):
        model.extract_feat(inputs, samples)


def test_mixed_precision(keyframes):
    """Without the lift, which takes a minute with emulated bfloat16."""
    model = toy_model(HISTORY).train()
    for sample in keyframes:
        inputs, samples = batch_of(model, sample)
        with torch.no_grad():
            lifted = model.lift(Frame.of(inputs, samples))
        model.lift, model.loss_weights['depth'] = lambda _, lifted=lifted: lifted, 0.0
        with torch.autocast('cpu', torch.bfloat16):
            losses = model.loss(inputs, samples)
        del model.lift
    total = sum(value for key, value in losses.items() if 'loss' in key)
    total.backward()
    assert torch.isfinite(total)


def test_voxels(keyframes):
    """A map of four layers: every layer of a column gets the same residual."""
    cfg = Config.fromfile(ROOT / f'configs/toy/{HISTORY}.py')
    cfg.model.img_view_transformer.grid.z = (-5.0, 3.0, 2.0)
    cfg.model.img_bev_encoder_backbone.in_channels *= 4
    cfg.model.refine.foreground_proposal = None  # all cells
    model = build_model(cfg).eval()
    inputs, samples = batch_of(model, keyframes[0])
    with torch.no_grad():
        bev, distribution = model.lift(Frame.of(inputs, samples))
        refined, losses = model.refine(bev, distribution, inputs['rig'])
        assert not losses
        added = (refined - bev).unflatten(1, (4, -1))
        torch.testing.assert_close(added, added[:, :1].expand_as(added), atol=1e-5, rtol=1e-4)
        assert added.abs().max() > 1e-3
        results = model.predict(inputs, samples)
    assert results[0].pred_instances_3d.bboxes_3d is not None


def test_sequences_of_the_data_set(toy_nuscenes, tmp_path):
    create_nuscenes_infos(toy_nuscenes, 'v1.0-mini', tmp_path)
    cfg = Config.fromfile(ROOT / f'configs/toy/{HISTORY}.py').train_dataloader.dataset.dataset
    cfg.update(data_root=str(toy_nuscenes), ann_file=str(tmp_path / 'nuscenes_infos_train.pkl'))
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        whole = DATASETS.build(dict(cfg, sequence_length=1000))
        singles = DATASETS.build(dict(cfg, sequence_length=1))
        none = DATASETS.build(dict(cfg, sequence_length=None))
    for dataset, longest in ((whole, 1000), (singles, 1)):
        sequences = dataset.sequences()
        assert sorted(sum(sequences, [])) == list(range(len(dataset)))
        assert max(map(len, sequences)) <= longest
        for sequence in sequences:
            infos = [dataset.get_data_info(index) for index in sequence]
            assert [info['sequence'] for info in infos] == [
                (infos[0]['token'], place) for place in range(len(infos))
            ]
            for before, after in zip(infos, infos[1:], strict=False):
                assert after['prev'] == before['token']
                assert after['scene_token'] == before['scene_token']
    assert len(singles.sequences()) > len(whole.sequences()) > 0
    assert 'sequence' not in none.get_data_info(0)
    with pytest.raises(ValueError, match='expected a sequence_length'):
        none.sequences()
    with pytest.raises(ValueError, match='expected no indices'):
        DATASETS.build(dict(cfg, sequence_length=2, indices=1))
    # frame 2 is missing: the next one starts a sequence
    frames = [dict(token=str(i), prev=str(i - 1) if i else '', timestamp=i) for i in (4, 3, 1, 0)]
    assert whole._number_sequences(frames) == {
        '0': ('0', 0),
        '1': ('0', 1),
        '3': ('3', 0),
        '4': ('3', 1),
    }
