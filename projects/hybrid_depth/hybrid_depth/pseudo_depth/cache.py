"""Cache of pseudo depth on disk."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.registry import DefaultScope

from ..bev import transforms  # noqa: F401 (registers those below)
from ..bev.datasets.nuscenes import NuScenesBEVDataset
from ..bev.detectors.data_preprocessor import BEVDataPreprocessor
from ..datasets.depth_map_files import depth_png_text, pseudo_depth_path, write_depth_png
from ..datasets.nuscenes.names import CAMERAS, CLASSES
from ..digests import digest, file_digest
from ..errors import DamagedFileError, DepthDataError
from ..files import atomic_file
from ..info_files import read_infos
from ..text_files import parse_json, read_json, read_text
from .model import PseudoDepth

MANIFEST = 'manifest.json'
_NUMBERS = ('scale', 'spread', 'share', 'known')  # of a record
_MADE_FROM = 'made_from'  # text chunk of the PNGs


def keyframes_for(
    source: PseudoDepth, infos: str | Path, root: str | Path | None = None
) -> BaseDataset:
    """Data set of the keyframes of an info file, with all cameras, the inputs of a source and the
    image size of its model.

    Args:
        source: pseudo-depth source; images have the `image_size` of its model.
        infos: info file of `hybrid-depth create-nuscenes-infos`.
        root: nuScenes root; None for the folder of the info file.
    """
    path = Path(infos).absolute()
    size = tuple(source.model.image_size)
    pipeline = [
        dict(type='LoadMultiViewImages'),
        dict(type='ImageAugmentation', final_size=size, random=False),
        dict(type='LoadLidarDepth', depth_range=(1.0, source.max_depth)),
        dict(type='PackBEVInputs'),
    ]
    if source.scale != 'lidar':
        del pipeline[2]
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        return NuScenesBEVDataset(
            data_root=str(root or path.parent),
            ann_file=str(path),
            **_names(path),
            pipeline=pipeline,
            num_adj=source.num_adj,
            test_mode=True,
        )


def _names(infos: Path) -> dict:
    """Cameras and classes of an info file; nuScenes' own where there are none, which the data set
    says."""
    content = read_infos(infos)
    try:
        cameras = tuple(content['data_list'][0]['images'])
    except (LookupError, TypeError):
        cameras = CAMERAS
    classes = content['metainfo'].get('categories')
    own = isinstance(classes, dict) and not set(CLASSES) <= set(classes)
    return dict(cameras=cameras, **(dict(metainfo=dict(classes=list(classes))) if own else {}))


def write_pseudo_depth(
    dataset: BaseDataset, source: PseudoDepth, out: Path, facts: dict, shard: tuple[int, int]
) -> Iterator[int]:
    """Write one 16-bit PNG (metres times 256, 0 = unknown) and one record per image.

    Resumable: keyframes that are recorded in a `scales_<shard>.jsonl` and whose files exist are
    skipped, if these were made from the same images and calibration.

    Args:
        dataset: keyframes, packed, at the image size of the source's model.
        source: pseudo-depth source.
        out: output folder of `<camera>/<image name>.png`, `manifest.json` and the records.
        facts: origin of the depth; folders with another origin are rejected.
        shard: (index, number) of the part processed here.

    Yields:
        Number of images written or found, per keyframe.

    Raises:
        DepthDataError: the folder has pseudo depth of another origin.
    """
    _same_origin(out / MANIFEST, facts)
    done = {note['file'] for note in read_scales(out)}
    to_batch = BEVDataPreprocessor().to(next(source.model.parameters()).device)
    with open(out / f'scales_{shard[0]:03d}.jsonl', 'a') as notes:
        notes.write('\n')  # ends the incomplete line of a killed process
        for index in range(shard[0], len(dataset), shard[1]):
            info = dataset.get_data_info(index)
            pairs = zip(info['cam_names'], info['img_path'], strict=True)
            drive = info.get('drive', '')
            paths = [pseudo_depth_path(out, name, path, drive) for name, path in pairs]
            names = [path.relative_to(out).as_posix() for path in paths]
            origins = list(_origins(info, source.scale == 'lidar'))
            held = [depth_png_text(path, _MADE_FROM) for path in paths]
            if not (done.issuperset(names) and held == origins):
                batch = to_batch(pseudo_collate([dataset[index]]))['inputs']
                depth, scale = source(batch)
                maps, affines = depth[0].cpu().numpy(), batch['rig'].img_aug[0]
                for camera, path in enumerate(paths):
                    placed = dict(img_aug=json.dumps(affines[camera].tolist()))
                    placed[_MADE_FROM] = origins[camera]
                    write_depth_png(maps[camera], path, placed)
                    notes.write(_note(names[camera], scale, camera, maps[camera]))
                notes.flush()
            yield len(paths)


def _origins(info: dict, lidar: bool) -> Iterator[str]:
    """Digest of what the depth of each camera is made from: images, calibration, poses, sweep."""
    frames = [info, *info.get('adjacent', ())]
    sweep = file_digest(info['lidar_path']) if lidar else ''
    for camera in range(len(info['img_path'])):
        parts = [(file_digest(f['img_path'][camera]), *_numbers(f, camera)) for f in frames]
        yield digest(parts, sweep)


def _numbers(frame: dict, camera: int) -> tuple[list, ...]:
    of_camera = (frame['cam2img'][camera], frame['cam2ego'][camera])
    return tuple(np.asarray(x, float).tolist() for x in (*of_camera, frame['ego2global']))


def read_scales(out: Path) -> Iterator[dict]:
    """Records of all shards: file, scale, spread and share (null if unknown), known (fraction of
    pixels with a depth). Incomplete lines of killed processes, and damaged ones, are skipped."""
    for path in sorted(out.glob('scales_*.jsonl')):
        for line in read_text(path).splitlines():
            try:
                note = parse_json(line, path)
            except DamagedFileError:
                continue
            if _is_note(note):
                yield note


def _is_note(note: Any) -> bool:
    if not (isinstance(note, dict) and set(note) == {'file', *_NUMBERS}):
        return False
    numbers = [note[key] for key in _NUMBERS if note[key] is not None]
    return isinstance(note['file'], str) and all(
        isinstance(number, float) and math.isfinite(number) for number in numbers
    )


def _note(name: str, scale, camera: int, depth) -> str:
    def plain(values: torch.Tensor) -> float | None:
        value = float(values[camera])
        return value if math.isfinite(value) else None

    numbers = dict(scale=plain(scale.scale), spread=plain(scale.spread), share=plain(scale.share))
    return json.dumps(dict(file=name, **numbers, known=float((depth > 0).mean()))) + '\n'


def _same_origin(manifest: Path, facts: dict) -> None:
    if manifest.is_file():
        held = read_json(manifest)
        differing = [key for key in facts if held.get(key) != facts[key]]
        if differing:
            raise DepthDataError(
                f'{manifest.parent} has pseudo depth of another origin: expected '
                + ', '.join(f'{key} {facts[key]!r} (got {held.get(key)!r})' for key in differing)
                + '; use another folder, or remove this one'
            )
    else:
        with atomic_file(manifest, 'w') as file:
            json.dump(facts, file, indent=2)
