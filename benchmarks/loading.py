"""Time of loading a nuScenes sample: today's pipeline against whole resizing and float images, and
against decoding at half size; difference of the pixels."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from PIL import Image

from hybrid_depth.bev.transforms.image_augmentation import ImageAugmentation
from hybrid_depth.foundation.images import pixel_tensor, to_tensor

FINAL_SIZE = (256, 704)
SAMPLES = 12
CAMERA = np.array([[1266.0, 0, 800], [0, 1266, 450], [0, 0, 1]])


class WholeResize(ImageAugmentation):
    """Augmentation that resizes whole images, before `resized_crop`."""

    def apply(self, results: dict, params: list) -> dict:
        for index, (image, camera) in enumerate(zip(results['img'], params, strict=True)):
            image = image.resize(camera.resize_dims, Image.Resampling.BICUBIC).crop(camera.crop)
            if camera.flip:
                image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            results['img'][index] = image.rotate(camera.rotate, Image.Resampling.NEAREST)
        return results


def pipelines(random: bool) -> dict[str, Callable[[dict], torch.Tensor]]:
    """Images of a sample by each pipeline, as they leave a loader process."""
    size = dict(final_size=FINAL_SIZE, random=random)
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        read, half = (Compose([dict(type='LoadMultiViewImages', half=h)]) for h in (False, True))
    whole, crop = WholeResize(**size), ImageAugmentation(**size)
    return {
        'whole resize, floats': lambda info: to_tensor(np.stack(whole(read(info))['img'])),
        'resize of the crop, 8 bit': lambda info: pixel_tensor(np.stack(crop(read(info))['img'])),
        'decoded at half size': lambda info: pixel_tensor(np.stack(crop(half(info))['img'])),
    }


def main(root: str) -> None:
    """Print milliseconds a sample of six images, their ratios, bytes and differing pixels."""
    torch.set_num_threads(1)
    paths = sorted(Path(root).glob('samples/CAM_*/*.jpg'))
    by_camera = {path.parent.name: str(path) for path in paths}
    if len(by_camera) < 6:
        raise SystemExit(f'{root}: expected a nuScenes root with six cameras, got {len(by_camera)}')
    info = dict(img_path=list(by_camera.values()), cam2img=[CAMERA] * 6)
    for part, random in (('training', True), ('test', False)):
        named = pipelines(random)
        times, images = {name: [] for name in named}, {}
        for index in range(SAMPLES + 1):
            for name, pipeline in named.items():
                np.random.seed(index)  # the same augmentation
                begin = time.perf_counter()
                images[name] = pipeline({key: list(value) for key, value in info.items()})
                if index:  # the first fills the file cache
                    times[name].append(time.perf_counter() - begin)
        first = next(iter(named))
        print(f'{part}, six images of a sample, one process, median of {SAMPLES}')
        for name in named:
            ratio = statistics.median(
                now / then for now, then in zip(times[name], times[first], strict=True)
            )
            pixels = images[name]
            floats = pixels if pixels.is_floating_point() else pixels / 255
            difference = (floats - images[first]).abs() * 255
            differing = (difference > 0.5).float().mean()
            print(
                f'  {name:26} {statistics.median(times[name]) * 1e3:7.1f} ms  ratio {ratio:.2f}  '
                f'{pixels.nbytes / 2**20:.1f} MiB  differing {differing:.1%}, '
                f'mean {difference.mean():.2f}, largest {difference.max():.0f} of 255'
            )
