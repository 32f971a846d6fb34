import pytest
from mmengine.config import Config

from hybrid_depth.datasets.nuscenes.infos import CLASSES
from hybrid_depth.doctor.datasets import ClassOrderError, DatasetMissingError, check_datasets

PARTS = ('train_dataloader', 'val_dataloader', 'val_evaluator')


def config(root: str, annotations: str = 'infos.pkl') -> Config:
    dataset = dict(data_root=root, ann_file=annotations, metainfo=dict(version='v1.0-mini'))
    return Config(
        dict(
            train_dataloader=dict(dataset=dict(type='CBGSDataset', dataset=dataset)),
            val_dataloader=None,
            val_evaluator=dict(data_root=root, ann_file=f'{root}/{annotations}'),
        )
    )


def test_complete_data_is_accepted(tmp_path):
    (tmp_path / 'infos.pkl').touch()
    check_datasets(config(str(tmp_path)), PARTS)


@pytest.mark.parametrize(
    'name, first_step',
    [('toy', 'make-toy-world {root}'), ('nuscenes', 'nuscenes.org')],
)
def test_missing_folder_has_instructions(tmp_path, monkeypatch, name, first_step):
    monkeypatch.chdir(tmp_path)  # the name of pytest's folder is not part of the path
    with pytest.raises(DatasetMissingError) as caught:
        check_datasets(config(f'data/{name}/'), PARTS)
    text = str(caught.value)
    assert f'train_dataloader expected the data folder data/{name}' in text
    assert str(tmp_path / 'data' / name) in text
    assert first_step.format(root=f'data/{name}') in text
    assert f'create-nuscenes-infos --root data/{name} --version v1.0-mini' in text


def test_missing_annotations_have_instructions_for_annotations_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'data' / 'toy').mkdir(parents=True)
    with pytest.raises(DatasetMissingError, match='annotation file data/toy/infos.pkl') as caught:
        check_datasets(config('data/toy'), PARTS)
    assert 'make-toy-world' not in str(caught.value)
    assert '--out' not in str(caught.value)
    with pytest.raises(DatasetMissingError, match=f'--root data/toy .* --out {tmp_path}/apart'):
        check_datasets(config('data/toy', f'{tmp_path}/apart/infos.pkl'), PARTS)


def test_metric_file_is_checked(tmp_path):
    (tmp_path / 'infos.pkl').touch()
    cfg = config(str(tmp_path))
    cfg.val_evaluator.ann_file = str(tmp_path / 'other.pkl')
    with pytest.raises(
        DatasetMissingError, match='val_evaluator expected the annotation file .*other.pkl'
    ):
        check_datasets(cfg, PARTS)


def test_unknown_data_refers_to_the_readme(tmp_path):
    with pytest.raises(DatasetMissingError, match='data/README.md'):
        check_datasets(config('my_rig'), PARTS)


@pytest.mark.parametrize(
    ('root', 'steps'),
    [
        (
            'data/toy_kitti/',
            ['make-toy-world data/toy_kitti --layout kitti', 'export-gt data/toy_kitti'],
        ),
        ('data/toy_video/', ['make-toy-world data/toy_video --keyframes 16 --sweeps 5']),
        ('data/toy_lanes/', ['make-toy-world data/toy_lanes --layout tusimple']),
        ('data/kitti/', ['cvlibs.net', 'prepare-kitti check data/kitti']),
        ('data/tusimple/train_set/', ['tusimple-benchmark', 'cat data/tusimple/train_set/label_']),
    ],
)
def test_instructions_for_depth_data(tmp_path, monkeypatch, root, steps):
    monkeypatch.chdir(tmp_path)
    dataset = dict(type='RepeatDataset', dataset=dict(data_root=root))
    with pytest.raises(DatasetMissingError) as caught:
        check_datasets(Config(dict(train_dataloader=dict(dataset=dataset))), PARTS)
    lines = [line for line in str(caught.value).splitlines() if line.startswith('  ')]
    assert len(lines) == len(steps)
    assert all(step in line for step, line in zip(steps, lines, strict=True))
    assert 'create-nuscenes-infos' not in str(caught.value) and '--out' not in str(caught.value)


def test_other_order_of_classes(tmp_path):
    """For several tasks, as in CenterPoint, and for a data set with other classes."""
    (tmp_path / 'infos.pkl').touch()
    cfg = config(str(tmp_path))
    dataset = cfg.train_dataloader.dataset.dataset
    dataset.type = 'NuScenesBEVDataset'
    cfg.model = dict(pts_bbox_head=dict(tasks=[dict(class_names=[c]) for c in CLASSES]))
    check_datasets(cfg, PARTS)
    tasks = cfg.model.pts_bbox_head.tasks
    tasks[3], tasks[4] = tasks[4], tasks[3]
    with pytest.raises(ClassOrderError, match='trailer, bus, barrier.*got .*bus, trailer, barrier'):
        check_datasets(cfg, PARTS)
    dataset.metainfo.classes = [name for task in tasks for name in task.class_names]
    check_datasets(cfg, PARTS)
    del dataset.metainfo.classes
    dataset.type = 'NuScenesDataset'  # mmdet3d's has another order
    with pytest.raises(ClassOrderError, match='got car, truck, trailer, bus'):
        check_datasets(cfg, PARTS)
