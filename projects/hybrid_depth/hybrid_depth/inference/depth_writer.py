"""Output of predicted depth to files: values, colours, point clouds and a manifest."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from ..datasets.depth_map_files import write_depth_png
from ..errors import DepthDataError
from ..files import atomic_file, file_name
from ..visualization import colorize_depth, depth_color_bar, write_png
from .depth import DepthResult
from .point_cloud import depth_points, write_ply

FORMATS = ('png', 'npy', 'none')
_PNG_LEVELS = np.iinfo(np.uint16).max
_PNG_READS_AS = 1 / 256  # `read_depth_png` and KITTI's tools divide by 256
_LEGEND_WIDTH = 320
_COLOR_RANGE = (5, 95)  # percentiles of an image's depth at the ends of the colour map


class DepthWriter:
    """Writer of depth results into a folder, one by one.

    `depth/NAME.png` (16 bit) or `depth/NAME.npy` (float32, exact), `color/NAME.png`,
    `cloud/NAME.ply`, and `manifest.json`, with kind and unit of the values; NAME is the `file_name`
    of the result's name. Values are disparities for relative depth (16-bit steps are uniform in
    disparity, so finest near the camera), metres for metric depth, in KITTI's PNG format (metres
    times 256). `depth/` is the input of `hybrid-depth evaluate-depth --pred`, with the manifest's
    `kind`.

    Args:
        out: output folder.
        numbers: format of the values, 'png', 'npy' or 'none'.
        colors: write visualizations, the depth below its image.
        cam2img: (3, 3) intrinsics in pixels of the images, for point clouds; None for no clouds.
        depth_range: near and far end of the colours, and far end of point clouds, in the results'
            unit; None for the 5th and 95th percentile of each image.
        max_disparity: largest disparity of the model, the largest 16-bit value.

    Raises:
        DepthDataError: unknown format, or an empty range.
    """

    def __init__(
        self,
        out: str | Path,
        numbers: str = 'npy',
        colors: bool = True,
        cam2img: np.ndarray | None = None,
        depth_range: tuple[float, float] | None = None,
        max_disparity: float = 10.0,
    ) -> None:
        if numbers not in FORMATS:
            raise DepthDataError(f'expected a format of {FORMATS}, got {numbers!r}')
        if depth_range is not None and not 0 < depth_range[0] < depth_range[1]:
            raise DepthDataError(f'expected a range 0 < near < far, got {tuple(depth_range)}')
        self.out, self.numbers, self.colors = Path(out), numbers, colors
        self.cam2img, self.depth_range = cam2img, depth_range
        self.png_factor = _PNG_LEVELS / max_disparity
        self.files: list[dict] = []
        self.meaning: dict = {}

    def write(self, result: DepthResult) -> None:
        """Write one result.

        Raises:
            DepthDataError: its kind differs from that of earlier results, or its name does not.
        """
        meaning = self._meaning(result)
        if self.files and meaning != self.meaning:
            raise DepthDataError(
                f'expected results of one kind, got {meaning} after {self.meaning}'
            )
        self.meaning = meaning
        name = file_name(result.name)
        if any(file['name'] == name for file in self.files):
            raise DepthDataError(f'{self.out}: expected results of different names, got two {name}')
        if self.numbers != 'none':
            self._write_numbers(result, name)
        near, far = self._range(result.depth)
        if self.colors:
            write_png(render_depth(result, near, far), self.out / 'color' / f'{name}.png')
        if self.cam2img is not None:
            points, colors = depth_points(result.depth, result.image, self.cam2img, far)
            comment = f'camera frame: x right, y down, z forward; unit: {result.unit}'
            write_ply(points, colors, self.out / 'cloud' / f'{name}.ply', comment)
        size = list(result.disparity.shape)
        self.files.append(dict(name=name, size=size, frames=list(result.frames)))

    def close(self, **facts: object) -> None:
        """Write the manifest, with `facts` on the run."""
        manifest = dict(facts, **self.meaning, files=self.files)
        with atomic_file(self.out / 'manifest.json', 'w') as file:
            json.dump(manifest, file, indent=1)

    def _meaning(self, result: DepthResult) -> dict:
        metric = result.kind == 'metric'
        meaning = dict(
            kind='metric' if metric else 'disparity',
            unit='m' if metric else '1 / unknown unit of depth',
            numbers=self.numbers,
        )
        if self.numbers == 'png':
            meaning['png_factor'] = 1 / _PNG_READS_AS if metric else self.png_factor
        return meaning

    def _write_numbers(self, result: DepthResult, name: str) -> None:
        values = result.depth if result.kind == 'metric' else result.disparity
        path = self.out / 'depth' / f'{name}.{self.numbers}'
        if self.numbers == 'npy':
            with atomic_file(path) as file:
                np.save(file, values.astype(np.float32))
        elif result.kind == 'metric':
            write_depth_png(values, path)
        else:
            stored = (values * self.png_factor).clip(1, _PNG_LEVELS)
            write_depth_png(stored * _PNG_READS_AS, path)

    def _range(self, depth: np.ndarray) -> tuple[float, float]:
        if self.depth_range is not None:
            return self.depth_range
        return color_range(depth)


def color_range(depth: np.ndarray) -> tuple[float, float]:
    """Near and far end of the colours of depths, their 5th and 95th percentile."""
    near, far = (float(f'{value:.3g}') for value in np.percentile(depth, _COLOR_RANGE))
    return near, max(far, 1.01 * near)  # not empty for constant maps


def render_depth(result: DepthResult, near: float, far: float) -> np.ndarray:
    """Image, coloured depth and colour bar, stacked vertically: (rows, columns, 3) uint8 RGB.

    Images narrower than the colour bar are enlarged by an integer factor.

    Args:
        result: result of one image.
        near, far: range of the colours, in the result's unit.
    """
    title = 'depth, metres' if result.kind == 'metric' else 'depth, unit unknown'
    panels = np.concatenate([result.image, colorize_depth(result.depth, near, far)])
    factor = math.ceil(_LEGEND_WIDTH / panels.shape[1])
    panels = panels.repeat(factor, 0).repeat(factor, 1)
    return np.concatenate([panels, depth_color_bar(panels.shape[1], near, far, title)])
