"""Object sentences of the images of a data set, from the files of make-embodied-depth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from ..foundation.object_sentences import object_sentences
from ..geometry import EmbodiedDepthMap
from .depth_map_files import read_depth_png
from .label_images import read_label_image


def read_embodied_depth(folder: str | Path, image: str) -> EmbodiedDepthMap:
    """Embodied depth of an image.

    Args:
        folder: output of `hybrid-depth make-embodied-depth`: depth/, provenance/. A folder of
            measured depth has no provenance and is refused.
        image: path of the image below the data root.

    Raises:
        FileNotFoundError: depth or provenance does not exist.
        DepthDataError: damaged, or of two sizes.
    """
    mirrored = Path(image).with_suffix('.png')
    places = [Path(folder, kind, mirrored) for kind in ('depth', 'provenance')]
    for path in places:
        if not path.is_file():
            raise FileNotFoundError(
                f'expected the embodied depth {path}, which does not exist; make it and its '
                'provenance: hybrid-depth make-embodied-depth'
            )
    depth = read_depth_png(places[0])
    provenance = read_label_image(places[1], size=depth.shape[::-1])
    return EmbodiedDepthMap(
        torch.from_numpy(depth)[None, None], torch.from_numpy(provenance)[None, None]
    )


def object_texts(
    images: Iterable[str], embodied: str | Path, instances: str | Path
) -> Iterator[tuple[str, list[str]]]:
    """Each image with the sentences of its objects (`object_sentences`).

    Args:
        images: paths below the data root.
        embodied: output folder of `hybrid-depth make-embodied-depth`.
        instances: folder of instance label images, which mirrors the image tree.

    Raises:
        FileNotFoundError: a file does not exist.
        DepthDataError: a file is damaged, or of another size than the depth.
    """
    for image in images:
        depth = read_embodied_depth(embodied, image)
        size = depth.depth.shape[:1:-1]
        ids = read_label_image(Path(instances, image).with_suffix('.png'), size=size)
        yield image, object_sentences(depth, ids)
