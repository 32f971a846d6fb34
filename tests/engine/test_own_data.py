"""One entry of a config sets cameras, classes, ranges and files everywhere."""

import pickle

import pytest

from hybrid_depth.config_files import FOLDER
from hybrid_depth.engine.config import load_config
from hybrid_depth.engine.model_files import read_model_config
from tests.borders.refusal import refused

CLASSES = ['vehicle', 'person', 'animal']


@pytest.fixture
def root(tmp_path):
    meta = dict(
        dataset='rig',
        categories={name: label for label, name in enumerate(CLASSES)},
        ranges=dict(vehicle=60, person=35, animal=20),
        cameras=['nose', 'tail'],
        has_lidar=False,
        has_velocities=False,
    )
    content = dict(metainfo=meta, data_list=[])
    (tmp_path / 'rig_infos_train.pkl').write_bytes(pickle.dumps(content))
    return tmp_path


def load(config, **own):
    return load_config(FOLDER / config, None, {f'own_data.{k}': v for k, v in own.items()}, 'none')


def test_every_place_of_a_config(root):
    cfg = load('toy/bevdet_plain_toy.py', root=str(root))
    train, test = cfg.train_dataloader.dataset.dataset, cfg.test_dataloader.dataset
    for dataset, part in ((train, 'train'), (test, 'val')):
        assert dataset.ann_file == f'rig_infos_{part}.pkl' and dataset.data_root == str(root)
        assert dataset.metainfo == dict(classes=CLASSES) and dataset.cameras == ['nose', 'tail']
        assert 'LoadLidarDepth' not in [item.type for item in dataset.pipeline]
    names = next(item for item in train.pipeline if item.type == 'ObjectNameFilter')
    assert names.classes == CLASSES
    head = cfg.model.pts_bbox_head
    assert head.tasks == [dict(num_class=3, class_names=CLASSES)]
    assert head.test_cfg.nms_rescale_factor == [[1.0, 1.0, 1.0]]
    metric = cfg.test_evaluator
    assert metric.ann_file == str(root / 'rig_infos_val.pkl') and metric.eval_split is None
    assert metric.protocol.ranges == dict(vehicle=60, person=35, animal=20)
    assert metric.protocol.errors == ['trans_err', 'scale_err', 'orient_err']


def test_classes_and_ranges_of_the_entry(root):
    cfg = load('toy/bevdet_plain_toy.py', root=str(root), classes=['person', 'car'])
    assert cfg.model.pts_bbox_head.tasks[0].class_names == ['person', 'car']
    assert cfg.test_evaluator.protocol.ranges == dict(person=35, car=50)
    # of nuScenes' class, the suppression that the config has for it
    assert cfg.model.pts_bbox_head.test_cfg.nms_rescale_factor == [[1.0, 1.0]]


@pytest.mark.parametrize('video', [True, False])
def test_video_of_depth_models(video, root):
    """Of the vehicle's video, or else of its key frames; masks are loaded with the frames."""
    if video:
        (root / 'rig_infos_video.pkl').write_bytes(b'')
    cfg = load('toy/monodepth2_hybrid_video_toy.py', root=str(root), ego_masks='masks')
    dataset = cfg.train_dataloader.dataset
    assert dataset.type == 'InfoVideoDataset' and 'split' not in dataset
    assert dataset.ann_file == f'rig_infos_{"video" if video else "train"}.pkl'
    assert dataset.data_root == str(root) and dataset.cameras == ['nose', 'tail']
    assert dataset.ego_motion and dataset.ego_masks == 'masks'
    kinds = [item['type'] for item in dataset.pipeline]
    assert kinds[:2] == ['LoadFrames', 'LoadEgoMask'] and kinds[-1] == 'PackFrames'
    cfg = load('hybrid_depth/hybrid-depth-stage2_clip-dinov2_1xb16-20e_nus-video_280x504.py',
               root=str(root))  # fmt: skip
    dataset = cfg.train_dataloader.dataset
    assert dataset.type == 'InfoVideoDataset' and 'ego_masks' not in dataset


def test_the_folder_of_pseudo_depth(root):
    cfg = load('toy/depth_supervision/pseudo.py', root=str(root), pseudo_depth='labels')
    pipeline = cfg.train_dataloader.dataset.dataset.pipeline
    (item,) = (item for item in pipeline if item.type == 'LoadPseudoDepth')
    assert item.folder == 'labels'


def test_semantic_targets_and_lidar(root):
    with refused('LidarDepthTarget', 'PseudoDepthTarget', str(root)):
        load('toy/bevdet_depth_toy.py', root=str(root))
    cfg = load('toy/bevdet_depth_toy.py', root=str(root), has_lidar=True)
    assert cfg.model.img_view_transformer.depth_net.semantics.num_classes == 3
    pipeline = cfg.train_dataloader.dataset.dataset.pipeline
    assert 'LoadLidarDepth' in [item.type for item in pipeline]


def test_a_dumped_config_needs_no_info_file(root, tmp_path):
    """And keeps the order of the classes, by which labels are numbered."""
    cfg = load('toy/bevdet_plain_toy.py', root=str(root))
    cfg.dump(tmp_path / 'dumped.py')
    (root / 'rig_infos_train.pkl').unlink()
    again = read_model_config(tmp_path / 'dumped.py')
    assert again.model.to_dict() == cfg.model.to_dict()
    assert again.test_dataloader.to_dict() == cfg.test_dataloader.to_dict()


@pytest.mark.parametrize('config', ['bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py'])
def test_full_size_configs(config, root):
    cfg = load(config, root=str(root))
    assert cfg.train_dataloader.dataset.dataset.metainfo.classes == CLASSES
    assert cfg.val_evaluator.protocol.ranges == cfg.test_evaluator.protocol.ranges


def test_mistakes(root, tmp_path):
    with refused('rig import', str(tmp_path / 'absent')):
        load('toy/bevdet_plain_toy.py', root=str(tmp_path / 'absent'))
    with refused("'clases'", "did you mean 'classes'"):
        load('toy/bevdet_plain_toy.py', root=str(root), clases=['a'])
    with refused('expected classes', '[]'):
        load('toy/bevdet_plain_toy.py', root=str(root), classes=[])
    with refused('root', 'rig import'):
        load('toy/bevdet_plain_toy.py', classes=['a'])
    other = dict(metainfo=dict(categories={}), data_list=[])
    (root / 'rig_infos_train.pkl').write_bytes(pickle.dumps(other))
    with refused('without ranges, cameras'):
        load('toy/bevdet_plain_toy.py', root=str(root))
