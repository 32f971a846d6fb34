"""Depth evaluation protocols as data: ground truth, crop, scaling, metrics and averaging.

Sources, by section: docs/reference/depth_protocols.md, "Eigen";
docs/reference/depth_protocols.md, "Improved ground truth";
docs/reference/depth_protocols.md, "Mono-ViFI"; docs/reference/depth_protocols.md, "packnet-sfm";
docs/reference/depth_protocols.md, "Cityscapes"; docs/reference/depth_protocols.md, "Supervised";
docs/reference/depth_protocols.md, "DDAD".
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import yaml

from ...errors import DepthDataError
from ...text_files import read_text
from .metrics import ALL_METRICS, KITTI_METRICS

# Kinds of maps. 'disparity': 1 / depth up to a factor; 'depth': depth, with or without a scale;
# 'relative': depth without a scale; 'metric': metres.
DepthKind = Literal['disparity', 'depth', 'relative', 'metric']
KINDS = ('disparity', 'depth', 'relative', 'metric')
_GARG_CROP = (0.40810811, 0.99189189, 0.03594771, 0.96405229)
_WHOLE = (0.0, 1.0, 0.0, 1.0)
_CHOICES = dict(
    scaling=('median', 'set_median', 'none'),
    median=('middle', 'lower'),
    resize=('cv2', 'align_corners', 'nearest'),
    resized=('disparity', 'depth'),
    averaging=('images', 'pixels'),
)


@dataclass(frozen=True)
class DepthProtocol:
    """Protocol by which predicted depth is compared with ground truth.

    Attributes:
        name: name of the protocol, recorded in every result.
        source: its origin.
        truth_range: exclusive range of valid ground truth, metres; None is unlimited (0 is always
            'no measurement').
        crop: top, bottom, left, right of the evaluated window, relative to the ground truth size,
            truncated to pixels.
        truth_rows: fraction of the ground truth rows, from the top, that is kept before all else.
        factor: predictions are multiplied by this first.
        scaling: 'median' scales every image to the ground truth's median, 'set_median' all images
            by one scale (the median of their ratios), 'none': predictions are metres.
        median: 'middle' as in numpy (mean of the middle two), 'lower' as in torch.
        clamp: range to which scaled predictions are clamped, metres.
        resize: interpolation to the ground truth size: 'cv2' (bilinear, half-pixel),
            'align_corners' (torch bilinear), 'nearest'.
        resized: resized quantity: 'disparity' or 'depth'.
        averaging: 'images' (mean of the image errors) or 'pixels'.
        metrics: reported metrics, of `ALL_METRICS`.
        bins: edges of the distance table, metres.
    """

    name: str
    source: str = ''
    truth_range: tuple[float, float | None] = (1e-3, 80.0)
    crop: tuple[float, float, float, float] = _WHOLE
    truth_rows: float = 1.0
    factor: float = 1.0
    scaling: str = 'median'
    median: str = 'middle'
    clamp: tuple[float, float] = (1e-3, 80.0)
    resize: str = 'cv2'
    resized: str = 'disparity'
    averaging: str = 'images'
    metrics: tuple[str, ...] = KITTI_METRICS
    bins: tuple[float, ...] = (0.0, 10.0, 20.0, 30.0, 40.0, 60.0, 80.0)

    def __post_init__(self):
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise DepthDataError(
                    f'protocol {self.name}: expected {name} among {choices}, got '
                    f'{getattr(self, name)!r}'
                )
        unknown = sorted(set(self.metrics) - set(ALL_METRICS))
        if unknown or not self.metrics:
            raise DepthDataError(
                f'protocol {self.name}: expected metrics among {ALL_METRICS}, got {self.metrics}'
            )

    def as_dict(self) -> dict[str, Any]:
        """All fields, for result files."""
        return asdict(self)


def _table(*protocols: DepthProtocol) -> dict[str, DepthProtocol]:
    return {protocol.name: protocol for protocol in protocols}


_EIGEN = DepthProtocol(
    'kitti_eigen',
    'Eigen et al. 2014 as in Monodepth2: raw Velodyne truth, Garg crop',
    crop=_GARG_CROP,
)
_BENCHMARK = DepthProtocol(
    'kitti_eigen_benchmark',
    'Monodepth2 on the improved ground truth (652 images), no crop',
    truth_range=(0.0, None),
)
_STEREO = dict(factor=5.4, scaling='none')  # trained with a baseline of 0.1 for 0.54 m
_MONOVIFI = dict(resize='align_corners', median='lower')

PROTOCOLS: dict[str, DepthProtocol] = _table(
    _EIGEN,
    replace(_EIGEN, name='kitti_eigen_set_scale', scaling='set_median'),
    replace(_EIGEN, name='kitti_eigen_stereo', **_STEREO),
    _BENCHMARK,
    replace(_BENCHMARK, name='kitti_eigen_benchmark_set_scale', scaling='set_median'),
    replace(_BENCHMARK, name='kitti_eigen_benchmark_stereo', **_STEREO),
    replace(
        _EIGEN,
        name='kitti_eigen_improved',
        source='Hybrid-depth on the improved ground truth: with crop and 80 m limit',
    ),
    replace(_EIGEN, name='kitti_monovifi', source='Mono-ViFI, evaluation script', **_MONOVIFI),
    replace(
        _BENCHMARK,
        name='kitti_monovifi_benchmark',
        source='Mono-ViFI, evaluation script, improved ground truth',
        **_MONOVIFI,
    ),
    replace(
        _EIGEN,
        name='kitti_packnet',
        source='github.com/TRI-ML/packnet-sfm, packnet_sfm/utils/depth.py; its interpolation is '
        'unknown: bilinear assumed',
        resized='depth',
        median='lower',
        truth_range=(0.0, 80.0),
    ),
    replace(
        _EIGEN,
        name='kitti_eigen_supervised',
        source='BTS, WorDepth: annotated truth (652 images), Garg crop, 80 m, metres as predicted',
        scaling='none',
        resized='depth',
    ),
    DepthProtocol(
        'ddad',
        'github.com/TRI-ML/packnet-sfm, configs/train_ddad.yaml: LiDAR truth up to 200 m, no crop; '
        'metres as predicted (median scaling: ddad+median)',
        truth_range=(0.0, 200.0),
        clamp=(1e-3, 200.0),
        scaling='none',
        resized='depth',
        bins=(0.0, 10.0, 20.0, 40.0, 80.0, 120.0, 200.0),
    ),
    DepthProtocol(
        'cityscapes',
        'ManyDepth: lower quarter of the truth cut, then rows 256:, columns 192:1856 of 768x2048',
        truth_rows=0.75,
        crop=(256 / 768, 1.0, 192 / 2048, 1856 / 2048),
    ),
    DepthProtocol(
        'make3d',
        'Monodepth2 and Mono-ViFI: truth below 70 m, nearest resize, log10; the truth must cover '
        'the image given to the network (by convention the central 2:1 part)',
        truth_range=(0.0, 70.0),
        clamp=(1e-3, 70.0),
        resize='nearest',
        metrics=('abs_rel', 'sq_rel', 'rmse', 'log10'),
        bins=(0.0, 10.0, 20.0, 30.0, 50.0, 70.0),
    ),
    DepthProtocol('nuscenes_lidar', 'this toolkit: LIDAR_TOP points of the keyframe, no crop'),
)


def load_protocol(protocol: str | dict | DepthProtocol) -> DepthProtocol:
    """Protocol by name, from fields, or from a YAML file.

    Args:
        protocol: a name of `PROTOCOLS`; the path of a YAML file; or a dict. Dicts and files have
            fields of `DepthProtocol`, and `base`, the name of the protocol that they modify.

    Raises:
        DepthDataError: unknown name or field.
        FileNotFoundError: no such file.
    """
    if isinstance(protocol, DepthProtocol):
        return protocol
    if isinstance(protocol, str):
        if protocol in PROTOCOLS:
            return PROTOCOLS[protocol]
        if Path(protocol).suffix not in ('.yaml', '.yml'):
            raise DepthDataError(
                f'expected a protocol among {", ".join(PROTOCOLS)}, or a YAML file; got {protocol}'
            )
        entries = yaml.safe_load(read_text(protocol))
        protocol = {'name': Path(protocol).stem, **entries}
    return _from_fields(dict(protocol))


def _from_fields(entries: dict) -> DepthProtocol:
    base = load_protocol(entries.pop('base')) if 'base' in entries else DepthProtocol('unnamed')
    known = {field.name for field in fields(DepthProtocol)}
    if set(entries) - known or not entries.get('name'):
        raise DepthDataError(
            f'expected a protocol with a name and fields among {sorted(known)}, got '
            f'{sorted(entries)}'
        )
    if base.name == entries['name']:
        raise DepthDataError(f'a protocol that differs from {base.name} needs another name')
    lists = {key: tuple(value) for key, value in entries.items() if isinstance(value, list)}
    return replace(base, **{**entries, **lists})


def with_scaling(protocol: DepthProtocol, scaling: str) -> DepthProtocol:
    """The protocol with another scaling, which is added to its name."""
    if scaling == protocol.scaling:
        return protocol
    return replace(protocol, name=f'{protocol.name}+{scaling}', scaling=scaling)
