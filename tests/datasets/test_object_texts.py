"""Object sentences of a data set come from the embodied prior; the truth is not reachable."""

import shutil
import sys

import numpy as np
import pytest
import torch

from hybrid_depth.datasets.captions import read_texts
from hybrid_depth.datasets.depth_map_files import read_depth_png, write_depth_png
from hybrid_depth.datasets.label_images import read_label_image, write_label_image
from hybrid_depth.datasets.object_texts import object_texts, read_embodied_depth
from hybrid_depth.errors import DepthDataError
from hybrid_depth.geometry import EmbodiedDepth, GroundPlane
from hybrid_depth.toy_world import kitti_rig


@pytest.fixture(scope='module')
def prior(toy_kitti, tmp_path_factory):
    """Embodied depth of the toy tree, in the files of make-embodied-depth."""
    out, plane = tmp_path_factory.mktemp('prior'), GroundPlane.from_angles(height=1.65)
    for path in (toy_kitti / 'semantic').rglob('*.png'):
        name, labels = path.relative_to(toy_kitti / 'semantic'), read_label_image(path)
        cam2img = torch.from_numpy(kitti_rig.cam2img(labels.shape[::-1]))
        ids = read_label_image(toy_kitti / 'instance' / name)
        found = EmbodiedDepth()(labels, cam2img, plane, ids)
        write_depth_png(found.depth[0, 0].numpy(), out / 'depth' / name)
        write_label_image(found.provenance[0, 0].numpy(), out / 'provenance' / name)
    return out


def test_they_are_the_same_without_the_truth(toy_kitti, prior, tmp_path):
    """No truth on disk, other truth, and no file of the truth opened: equal sentences."""
    images = list(read_texts(toy_kitti / 'captions.jsonl'))
    opened, watching = [], [True]
    sys.addaudithook(
        lambda event, args: opened.append(str(args[0])) if watching and event == 'open' else None
    )
    first = dict(object_texts(images, prior, toy_kitti / 'instance'))
    watching.clear()
    assert any('provenance' in name for name in opened)  # the hook sees what is read
    assert not [name for name in opened if 'groundtruth' in name or 'velodyne' in name]
    assert any(first.values())
    shutil.copytree(toy_kitti / 'instance', tmp_path / 'instance')  # and nothing else
    assert dict(object_texts(images, prior, tmp_path / 'instance')) == first


def test_they_follow_the_prior_not_the_scene(toy_kitti, prior, tmp_path):
    image = next(k for k, v in object_texts(
        read_texts(toy_kitti / 'captions.jsonl'), prior, toy_kitti / 'instance') if v)  # fmt: skip
    shutil.copytree(prior, tmp_path / 'prior')
    path = (tmp_path / 'prior/depth' / image).with_suffix('.png')
    write_depth_png(np.full_like(read_depth_png(path), 2.0), path)
    ((_, sentences),) = object_texts([image], tmp_path / 'prior', toy_kitti / 'instance')
    assert sentences and all('very close' in text for text in sentences)


def test_measured_depth_has_no_provenance(toy_kitti, tmp_path):
    image = next(iter(read_texts(toy_kitti / 'captions.jsonl')))
    truth = next(toy_kitti.rglob('groundtruth/image_02/*.png'))
    path = (tmp_path / 'depth' / image).with_suffix('.png')
    path.parent.mkdir(parents=True)
    shutil.copy(truth, path)
    with pytest.raises(FileNotFoundError, match='provenance.*make-embodied-depth'):
        read_embodied_depth(tmp_path, image)


def test_labels_of_another_size(toy_kitti, prior, tmp_path):
    image = next(iter(read_texts(toy_kitti / 'captions.jsonl')))
    path = (tmp_path / image).with_suffix('.png')
    write_label_image(np.zeros((4, 6), np.uint16), path)
    with pytest.raises(DepthDataError, match='expected a label image of 160 x 48'):
        list(object_texts([image], prior, tmp_path))
