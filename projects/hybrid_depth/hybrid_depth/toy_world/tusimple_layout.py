"""TuSimple layout: images of the toy world with lane labels in TuSimple's format.

clips/<scene>/<keyframe>/20.jpg   as in TuSimple, the labelled image of a clip is its twentieth
train_label_data.json             one label per line
test_label.json                   the held-out scenes
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from .camera import labelled_depth, render_view
from .captions import caption, write_captions
from .lanes import label_lanes
from .world import KEYFRAME_SECONDS, World

LABEL_FILES = {'train': 'train_label_data.json', 'test': 'test_label.json'}
_JPEG_QUALITY = 92
#: Focal lengths and centre relative to the size of the image: 60 degrees across, low horizon line.
_FOCAL, _CENTRE = (0.87, 1.547), (0.5, 0.38)
#: Level camera 1.5 m above the ground, ego frame.
_CAM2EGO = np.array([[0.0, 0, 1, 1.6], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]])
#: First labelled row and distance of the rows relative to the height (160 and 10 of 720).
_ROWS = (160 / 720, 10 / 720)


class TuSimpleLayout:
    """One task per keyframe: an image and its label."""

    default_size = (640, 360)
    frames_per_keyframe = 1

    @staticmethod
    def check(world: World) -> None:
        """Accepts every world."""

    @staticmethod
    def render(root: Path, world: World, index: int, frame: int) -> tuple[dict, str]:
        """Writes one image; returns its label and caption."""
        scene, time = world.scene(index), frame * KEYFRAME_SECONDS
        cam2ego = world.rig.cam2ego(_CAM2EGO)
        view = (scene.ego2world(time) @ cam2ego, world.rig.cam2img(_cam2img(world.size)))
        rendered = render_view(scene, *view, world.size, time)
        path = root / 'clips' / f'{index + 1:04d}' / f'{frame + 1}' / '20.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rendered.image).save(path, quality=_JPEG_QUALITY)
        rows = label_rows(world.size[1])
        depth, labels = labelled_depth(scene, *view, world.size, time)
        lanes = label_lanes(scene, *view, depth, rows)
        label = dict(
            lanes=lanes.tolist(),
            h_samples=rows.tolist(),
            raw_file=path.relative_to(root).as_posix(),
        )
        return label, caption(scene, labels)

    @staticmethod
    def finish(root: Path, world: World, results: list[list]) -> None:
        """Writes the labels and captions."""
        images = [image for scene in results for image in scene]
        write_captions(root, {label['raw_file']: text for label, text in images})
        count = world.training_scenes
        parts = dict(train=results[:count], test=results[count:])
        for part, scenes in parts.items():
            lines = [json.dumps(label) + '\n' for images in scenes for label, _ in images]
            (root / LABEL_FILES[part]).write_text(''.join(lines))


def label_rows(height: int) -> np.ndarray:
    """(R,) image rows at which lanes are labelled: TuSimple's at height 720, scaled otherwise."""
    first, step = (max(1, round(share * height)) for share in _ROWS)
    return np.arange(first, height, step)


def _cam2img(size: tuple[int, int]) -> np.ndarray:
    """(3, 3) intrinsics for an image of (width, height) pixels."""
    (fx, fy), (cx, cy), (width, height) = _FOCAL, _CENTRE, size
    return np.array(
        [[fx * width, 0, cx * width - 0.5], [0, fy * height, cy * height - 0.5], [0, 0, 1]]
    )
