import pytest

from hybrid_depth.depth.evaluation.protocols import PROTOCOLS, load_protocol, with_scaling
from hybrid_depth.errors import DepthDataError


def test_names():
    assert {
        'kitti_eigen',
        'kitti_eigen_benchmark',
        'kitti_eigen_supervised',
        'kitti_monovifi',
        'ddad',
        'make3d',
        'nuscenes_lidar',
    } <= (PROTOCOLS.keys())
    assert all(name == protocol.name for name, protocol in PROTOCOLS.items())
    assert all(protocol.source for protocol in PROTOCOLS.values())


@pytest.mark.parametrize(
    ('name', 'limit', 'crop'),
    [
        ('kitti_eigen_supervised', 80, (0.40810811, 0.99189189, 0.03594771, 0.96405229)),
        ('ddad', 200, (0, 1, 0, 1)),
    ],
)
def test_protocols_in_metres(name, limit, crop):
    """docs/reference/depth_protocols.md, "Supervised" and "DDAD"."""
    protocol = PROTOCOLS[name]
    assert protocol.scaling == 'none' and protocol.crop == crop and protocol.factor == 1
    assert protocol.truth_range[1] == protocol.clamp[1] == limit


def test_protocol_from_yaml(tmp_path):
    path = tmp_path / 'near.yaml'
    path.write_text('base: kitti_eigen\ntruth_range: [0.001, 30]\nmetrics: [abs_rel, a1]\n')
    protocol = load_protocol(str(path))
    assert protocol.name == 'near'
    assert protocol.truth_range == (0.001, 30)
    assert protocol.crop == PROTOCOLS['kitti_eigen'].crop
    assert load_protocol(dict(name='mine', scaling='none')).scaling == 'none'


def test_another_scaling_is_in_the_name():
    eigen = PROTOCOLS['kitti_eigen']
    assert with_scaling(eigen, 'median') is eigen
    assert with_scaling(eigen, 'none').name == 'kitti_eigen+none'


@pytest.mark.parametrize(
    ('protocol', 'message'),
    [
        ('kitti', 'expected a protocol among kitti_eigen'),
        (dict(name='a', cropp=(0, 1, 0, 1)), 'cropp'),
        (dict(name='a', scaling='mean'), "got 'mean'"),
        (dict(name='a', metrics=['absrel']), 'expected metrics among'),
        (dict(scaling='none'), 'with a name'),
        (dict(base='kitti_eigen', name='kitti_eigen', scaling='none'), 'needs another name'),
    ],
)
def test_mistakes_are_named(protocol, message):
    with pytest.raises(DepthDataError, match=message):
        load_protocol(protocol)
