"""Depth metric for mmengine's Runner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log
from mmengine.registry import METRICS

from ...datasets.label_images import read_moving_mask
from ...errors import DepthDataError
from .files import DepthMaps
from .metrics import range_scores
from .predicted_maps import uncrop
from .protocols import DepthProtocol, load_protocol
from .report import result_table, write_result
from .scoring import check_kind, score_image, score_set, summarise, swapped_kind_warning


@METRICS.register_module()
class DepthMetric(BaseMetric):
    """Metric of predicted depth against ground truth, by a protocol.

    Data samples have `pred_disparity` (1, h, w) or `pred_depth` (1, h, w), the metainfo `kind`
    ('disparity', 'relative' or 'metric') and `name` (from `KittiRawDataset` and others), the name
    of the ground truth file. Of a cropped image (`crop`) the truth inside the crop is compared.
    Returns the protocol's metrics, the same without scaling as `unscaled/...` (and with that of the
    median as `median_scaled/...`, see `summarise`), `scale_spread` and those of each distance range
    as `0-10m/...`, prefix 'depth'. Where the data set names label images of moving objects (its
    option `moving`), also the metrics of moving and static pixels, 'depth/moving/...' and
    'depth/static/...', with the scale of the whole image (docs/reference/depth_protocols.md,
    "Moving and static pixels").

    Args:
        truth: folder of `prepare-kitti export-gt`, or any input of `DepthMaps`; maps without
            names are matched by `sample_idx`. None for the field `truth` (H, W) of the samples
            (`KeepTruth`).
        protocol: name, fields or YAML file, see `load_protocol`.
        out_dir: folder of `depth_metrics.json`; None writes no file.

    Raises:
        FileNotFoundError: ground truth, or that of a sample, does not exist.
        DepthDataError: predictions of several kinds, or see `score_image`.
    """

    default_prefix = 'depth'

    def __init__(
        self,
        truth: str | None = None,
        protocol: str | dict | DepthProtocol = 'kitti_eigen',
        out_dir: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.protocol = load_protocol(protocol)
        self.out_dir = out_dir
        self.truths = None
        self._kept_maps = self.protocol.scaling == 'set_median'  # scored once the scale is known
        if truth is None:
            return
        if not Path(truth).exists():
            raise FileNotFoundError(
                f'expected ground truth {truth}, which does not exist. Make it with: python '
                f'hybrid-depth prepare-kitti export-gt ROOT {truth} --split LIST'
            )
        self.truths = DepthMaps(truth)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Score the batch, or keep its maps if the scale is computed over the set."""
        for sample in data_samples:
            kind = sample.get('kind', 'disparity' if 'pred_disparity' in sample else 'depth')
            check_kind(kind, self.protocol)
            field = 'pred_disparity' if kind == 'disparity' else 'pred_depth'
            if field not in sample:
                raise DepthDataError(
                    f'DepthMetric: expected {field} of a sample of kind {kind}, got fields '
                    f'{sorted(key for key in sample if key.startswith("pred_"))}'
                )
            predictions = {
                key.removeprefix(field): sample[key].detach().cpu().numpy()
                for key in sample
                if key.startswith(field)
            }
            name, truth = self._truth_of(sample)
            known = 'moving_path' in sample
            moving = read_moving_mask(sample['moving_path']) if known else None
            entry = dict(kind=kind, image=Path(sample.get('img_path', '')).suffix)
            for mode, prediction in predictions.items():
                if 'crop' in sample:
                    measured, box = self._read(truth), sample['crop']
                    prediction, truth = uncrop(prediction, measured, box, kind, self.protocol)
                if self._kept_maps:
                    entry[mode] = dict(name=name, truth=truth, prediction=prediction, moving=moving)
                else:
                    measured = self._read(truth)
                    entry[mode] = score_image(
                        prediction, measured, self.protocol, kind, name=name, moving=moving
                    )
            self.results.append(entry)

    def _read(self, truth: int | np.ndarray) -> np.ndarray:
        """Ground truth given by its place in the files, or itself."""
        return self.truths[truth] if isinstance(truth, int) else truth

    def _truth_of(self, sample: dict) -> tuple[str, int | np.ndarray]:
        if self.truths is None:
            name = sample.get('name', 'a sample')
            if 'truth' not in sample:
                raise DepthDataError(
                    f'DepthMetric: expected the ground truth of {name} in the sample, got none; '
                    'put KeepTruth into the test pipeline, or set truth to the folder of exported '
                    'maps'
                )
            return name, sample['truth'].detach().cpu().numpy()
        if self.truths.names is None:
            place = int(sample['sample_idx'])
            if place >= len(self.truths):
                raise DepthDataError(
                    f'{self.truths.path}: expected a map for every image, got {len(self.truths)} '
                    f'maps and image {place}'
                )
            return f'image {place}', place
        name = sample.get('name', '')
        place = self.truths.index(name)
        if place is None:
            raise FileNotFoundError(
                f'{self.truths.path}: expected ground truth named {name}, got none. Export it for '
                'this list: hybrid-depth prepare-kitti export-gt ROOT OUT --split LIST'
            )
        return name, place

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Average over images, log the tables and write the file."""
        kinds = sorted({entry['kind'] for entry in results})
        if len(kinds) != 1:
            raise DepthDataError(f'DepthMetric: expected predictions of one kind, got {kinds}')
        result = self._summarise([entry[''] for entry in results], kinds[0])
        result['image_formats'] = sorted({entry['image'] for entry in results})
        result['truth_export'] = None if self.truths is None else self.truths.export
        others = {
            mode.removeprefix('_'): self._summarise([entry[mode] for entry in results], kinds[0])
            for mode in results[0]
            if mode.startswith('_')
        }
        if others:
            result['modes'] = {mode: other['metrics'] for mode, other in others.items()}
            for mode, other in others.items():
                for part, averages in other.get('motion', {}).items():
                    result['motion'][f'{mode}/{part}'] = averages
        logger = MMLogger.get_current_instance()
        print_log(f'\n{result_table(result)}', logger)
        if swapped_kind_warning(result):
            print_log(f'DepthMetric: {swapped_kind_warning(result)}', logger, level=30)
        if self.out_dir is not None:
            write_result(result, Path(self.out_dir, 'depth_metrics.json'))
        scores = {**result['metrics'], 'scale_spread': result['scale']['spread']}
        rows = {**result['other_scaling'], **result.get('modes', {})}
        for part, averages in result.get('motion', {}).items():
            rows[part] = averages.get('metrics', {})  # none without such pixels
        for row, metrics in rows.items():
            scores |= {f'{row}/{name}': value for name, value in metrics.items()}
        return scores | range_scores(result['distances'])

    def _summarise(self, entries: list[dict], kind: str) -> dict:
        """Result of one mode: of its scores, or of its maps."""
        if self._kept_maps:
            return score_set(lambda: self._pairs(entries), self.protocol, kind)
        return summarise(entries, self.protocol, kind)

    def _pairs(self, entries: list[dict]):
        for entry in entries:
            truth = self._read(entry['truth'])
            yield entry['name'], np.asarray(entry['prediction']), truth, entry['moving']
