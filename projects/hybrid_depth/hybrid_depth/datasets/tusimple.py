"""TuSimple lane labels, from which stage 1 of Hybrid-depth takes near and far patches.

Format: docs/reference/hybrid_depth.md, "Lane labels".
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from ..errors import DepthDataError
from ..text_files import parse_json, read_text

_ABSENT = -2
_FORM = (
    'one JSON object per line with raw_file, h_samples and lanes (label files of the TuSimple lane '
    'challenge, joined: cat label_data_*.json > train_label_data.json)'
)


@DATASETS.register_module()
class TuSimpleLaneDataset(BaseDataset):
    """TuSimple images with lane points.

    Input of the pipeline: dict(img_paths={0: path}, lanes (L, R) float32 x in image pixels, -2
    where a lane has no point at a row; lane_rows (R,) float32 y, top to bottom as in the files;
    meta=dict(dataset, name, folder, frame)).

    Args:
        data_root: folder of `raw_file` and of the labels, such as tusimple/train_set.
        ann_file: label file below `data_root`.

    Raises:
        FileNotFoundError: the label file or an image named in it does not exist.
        DepthDataError: a line that is not a label; a lane with another number of points than rows.
    """

    METAINFO = dict(dataset='tusimple')

    def __init__(self, data_root: str, ann_file: str = 'train_label_data.json', **kwargs: Any):
        super().__init__(data_root=data_root, ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the labels; every image must exist."""
        if not Path(self.ann_file).is_file():
            raise FileNotFoundError(
                f'expected the lane labels {self.ann_file}, which do not exist: {_FORM}. Or make '
                'some: hybrid-depth make-toy-world OUT --layout tusimple'
            )
        lines = read_text(self.ann_file).splitlines()
        samples = [
            self._parse(line, f'{self.ann_file}, line {number}')
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]
        # os.path, as Path.is_file raises an error for names that no file can have
        absent = [s['img_paths'][0] for s in samples if not os.path.isfile(s['img_paths'][0])]
        if absent or not samples:
            raise FileNotFoundError(
                f'{self.ann_file}: expected labels of images below {self.data_root}, got '
                f'{len(samples)} labels, {len(absent)} of images that do not exist: '
                f'{absent[:3]}. Unpack the clips of the label files.'
            )
        return samples

    def _parse(self, line: str, where: str) -> dict:
        try:
            label = parse_json(line, where)
            rows = np.array(label['h_samples'], dtype=np.float32)
            lanes = [np.array(lane, dtype=np.float32) for lane in label['lanes']]
            raw_file = Path(label['raw_file'])
            name = raw_file.with_suffix('').as_posix().replace('/', '_')
        except (ValueError, KeyError, TypeError) as error:
            raise DepthDataError(f'{where}: expected {_FORM}, got {line[:60]}') from error
        if not all(np.isfinite(values).all() for values in (rows, *lanes)):
            raise DepthDataError(f'{where}: expected finite pixels in {_FORM}, got {line[:60]}')
        if any(lane.shape != rows.shape for lane in lanes):
            raise DepthDataError(
                f'{where}: expected {len(rows)} points per lane (one per entry of h_samples), got '
                f'{[len(lane) for lane in lanes]}'
            )
        return dict(
            img_paths={0: str(Path(self.data_root, raw_file))},
            missing_neighbours='error',
            lanes=np.stack(lanes) if lanes else np.full((0, len(rows)), _ABSENT, np.float32),
            lane_rows=rows,
            meta=dict(
                dataset='tusimple',
                name=name,
                folder=raw_file.parent.as_posix(),
                frame=raw_file.stem,
            ),
        )
