"""A config on an own vehicle by one entry: own_data = dict(root=FOLDER)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..config_errors import nearest, paths_of
from ..errors import ConfigError
from ..info_files import read_infos

INFO_FILES = dict(train='rig_infos_train.pkl', val='rig_infos_val.pkl', video='rig_infos_video.pkl')
_OF_FILE = ('classes', 'ranges', 'cameras', 'has_lidar', 'has_velocities')
_KEYS = ('root', *_OF_FILE, 'ego_masks', 'pseudo_depth')
_MAKE = 'hybrid-depth rig import RIG.yaml'
_RANGE = 50.0  # metres, where none is given
_LIDAR_TARGETS = ('LidarDepthTarget',)


def apply_own_data(cfg: Config) -> None:
    """Set data, cameras, classes and ranges of a config to those of `own_data`.

    `own_data` has `root`, the folder of the info files of `hybrid-depth rig import`, and optionally
    `classes`, a list of names, and `ranges`, the largest distance of each that is evaluated,
    metres; by default those of the info file. It is completed, so that a dumped config does not
    depend on the file. Data sets, metric, class filters, detection head and semantic targets get
    the classes; without LiDAR, pipelines load none. nuScenes as video, of depth models, becomes the
    vehicle's video (or its key frames, if it has none), with `ego_masks`, a folder of masks of the
    vehicle itself, if they are given. `pseudo_depth` is the folder that LoadPseudoDepth reads.

    Raises:
        FileNotFoundError: no info file.
        ConfigError: an unknown key, or a depth net that is supervised by LiDAR, which is missing.
    """
    given = cfg.get('own_data')
    if not given:
        return
    own = _completed(given)
    _set_video(cfg._cfg_dict, own)
    cfg.own_data = own
    nodes = cfg._cfg_dict
    root, classes = own['root'], own['classes']
    for path, node in paths_of(nodes, 'type', 'NuScenesBEVDataset'):
        part = 'train' if path.startswith('train_dataloader') else 'val'
        node['data_root'], node['ann_file'] = root, INFO_FILES[part]
        node['cameras'], node['metainfo'] = list(own['cameras']), dict(classes=classes)
    for _, node in paths_of(nodes, 'type', 'LoadPseudoDepth'):
        node['folder'] = own.get('pseudo_depth', node['folder'])
    for _, node in paths_of(nodes, 'type', 'ObjectNameFilter'):
        node['classes'] = classes
    for _, node in paths_of(nodes, 'type', 'BEVDetectionMetric'):
        node['data_root'], node['ann_file'] = root, str(Path(root, INFO_FILES['val']))
        node['eval_split'] = None
        node['protocol'] = {**node.get('protocol', {}), **_protocol(own)}
    if 'pts_bbox_head' in nodes.get('model', {}):
        _set_head(nodes['model']['pts_bbox_head'], classes)
    for _, node in paths_of(nodes.get('model', {}), 'semantics'):
        if isinstance(node['semantics'], dict):
            node['semantics']['num_classes'] = len(classes)
    if not own['has_lidar']:
        _without_lidar(cfg)


def _completed(given: Mapping[str, Any]) -> dict[str, Any]:
    """`own_data` with all keys, as plain values."""
    for key in given:
        if key not in _KEYS:
            raise ConfigError(
                f'own_data: expected keys among {", ".join(_KEYS)}, got {key!r}'
                f'{nearest(key, _KEYS)}'
            )
    if 'root' not in given:
        raise ConfigError(f'own_data: expected root, the folder of the info files of {_MAKE}')
    own = {key: given[key] for key in given}
    if not set(_OF_FILE) <= set(own):
        own = _of_file(Path(own['root'], INFO_FILES['train'])) | own
    if not isinstance(own['classes'], list | tuple) or not own['classes']:
        raise ConfigError(
            f"own_data: expected classes, such as ['car', 'person'], got {own['classes']!r}"
        )
    ranges = own['ranges'] or {}
    # a list keeps its order in a dumped config, a dict does not
    own['classes'] = [str(name) for name in own['classes']]
    own['ranges'] = {name: float(ranges.get(name, _RANGE)) for name in own['classes']}
    return own | dict(root=str(own['root']))


def _of_file(path: Path) -> dict[str, Any]:
    """What an info file says of its cameras and classes."""
    if not path.is_file():
        raise FileNotFoundError(
            f'own_data expected the info file {path}, which does not exist; make it with: '
            f'{_MAKE} --out {path.parent}'
        )
    meta = read_infos(path)['metainfo']
    absent = [key for key in ('ranges', 'cameras') if key not in meta]
    if absent:
        raise ConfigError(
            f'{path}: expected an info file of {_MAKE}, got one without {", ".join(absent)}'
        )
    found = {key: meta.get(key) for key in _OF_FILE}
    return found | dict(classes=list(meta['categories']))


def _set_video(nodes: Mapping, own: Mapping[str, Any]) -> None:
    """The vehicle's video in place of that of nuScenes."""
    part = 'video' if Path(own['root'], INFO_FILES['video']).is_file() else 'train'
    for _, node in paths_of(nodes, 'type', 'NuScenesVideoDataset'):
        for key in ('version', 'split', 'targets'):
            node.pop(key, None)
        node['type'], node['ann_file'] = 'InfoVideoDataset', INFO_FILES[part]
    for _, node in paths_of(nodes, 'type', 'InfoVideoDataset'):
        node['data_root'], node['cameras'] = own['root'], list(own['cameras'])
        if 'ego_masks' in own:
            node['ego_masks'] = own['ego_masks']
            kinds = [item['type'] for item in node['pipeline']]
            if 'LoadEgoMask' not in kinds:
                node['pipeline'].insert(kinds.index('LoadFrames') + 1, dict(type='LoadEgoMask'))


def _protocol(own: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the detection protocol: own data have no attributes, and may have no velocities."""
    absent = ['attr_err'] if own['has_velocities'] else ['attr_err', 'vel_err']
    errors = ('trans_err', 'scale_err', 'orient_err', 'vel_err', 'attr_err')
    return dict(
        ranges=own['ranges'],
        errors=[error for error in errors if error not in absent],
        undefined={name: absent for name in own['classes']},
        half_turn=[],
        rack_classes=[],
    )


def _set_head(head: dict, classes: list[str]) -> None:
    """One task of all classes, with the suppression of the classes that the head has already."""
    known: dict[str, float] = {}
    factors = head.get('test_cfg', {}).get('nms_rescale_factor')
    if factors:
        for task, values in zip(head['tasks'], factors, strict=True):
            known.update(zip(task['class_names'], values, strict=True))
        head['test_cfg']['nms_rescale_factor'] = [[known.get(name, 1.0) for name in classes]]
    head['tasks'] = [dict(num_class=len(classes), class_names=classes)]


def _without_lidar(cfg: Config) -> None:
    """No LiDAR in pipelines.

    Raises:
        ConfigError: the depth net is supervised by it.
    """
    nodes = cfg._cfg_dict
    for kind in _LIDAR_TARGETS:
        for path, _ in paths_of(nodes.get('model', {}), 'type', kind):
            raise ConfigError(
                f'{cfg.filename}: expected a depth net without LiDAR, which {cfg.own_data["root"]} '
                f'lacks, got {kind} (model.{path}). Use one without depth supervision, such as '
                'toy/bevdet_plain_toy.py, or depth_supervision=[dict(type="PseudoDepthTarget")] '
                'with LoadPseudoDepth, from hybrid-depth make-pseudo-depth'
            )
    for pipeline in _pipelines(nodes):
        pipeline[:] = [item for item in pipeline if item.get('type') != 'LoadLidarDepth']


def _pipelines(nodes: Any) -> Iterator[list]:
    for _, node in paths_of(nodes, 'pipeline'):
        if isinstance(node['pipeline'], list):
            yield node['pipeline']
