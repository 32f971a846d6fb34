"""Semantic label images of other data sets and tools, as Cityscapes train ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import DepthDataError
from ..text_files import parse_number, read_json
from .label_images import label_path, read_label_image

UNLABELLED = 255
# Train id of each id of Cityscapes' `*_labelIds.png`. Source: github.com/mcordts/
# cityscapesScripts, cityscapesscripts/helpers/labels.py.
_CITYSCAPES_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
_OTHER_IDS = (0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30)  # of no train id


class SemanticLabels:
    """Folder of semantic label images that mirrors an image tree.

    Args:
        folder: the labels.
        root: the images.
        ids: 'train' (Cityscapes train ids), 'cityscapes' (its ids), or a JSON file that maps each
            value of the labels to a train id, as ``{"7": 0, "200": 255}``.

    Raises:
        FileNotFoundError: no such folder or mapping file.
        DepthDataError: the mapping file is damaged or has values that are no train ids.
    """

    def __init__(self, folder: str | Path, root: str | Path, ids: str | Path = 'train'):
        self.folder, self.root = Path(folder), Path(root)
        if not self.folder.is_dir():
            raise FileNotFoundError(
                f'expected a folder of label images, got {folder}, which does not exist'
            )
        self.ids = str(ids)
        self.table = _table(ids)

    def __call__(self, image: str | Path, size: tuple[int, int]) -> np.ndarray:
        """Train ids (H, W) uint8 of an image.

        Args:
            image: path of the image, below the root.
            size: its width and height.

        Raises:
            FileNotFoundError: it has no label image.
            DepthDataError: the label image is damaged, of another size, or has values that the ids
                do not define.
        """
        path = label_path(self.folder, image, self.root)
        values = read_label_image(path, size)
        inside = values < len(self.table)
        labels = self.table[np.where(inside, values, 0)]
        unknown = np.unique(values[~inside | (labels < 0)])
        if len(unknown):
            raise DepthDataError(
                f'{path}: expected labels defined by ids {self.ids!r}, got the values '
                f'{unknown[:10].tolist()}; choose other ids, or write a mapping file: {{"value": '
                'train id}, 255 for no class'
            )
        return labels.astype(np.uint8)


def _table(ids: str | Path) -> np.ndarray:
    """(N,) train id of each value, -1 where not defined."""
    if ids == 'train':
        mapping = {index: index for index in (*range(19), UNLABELLED)}
    elif ids == 'cityscapes':
        mapping = {index: train for train, index in enumerate(_CITYSCAPES_IDS)}
        mapping |= {index: UNLABELLED for index in _OTHER_IDS}
    else:
        mapping = _read_mapping(Path(ids))
    table = np.full(max(mapping, default=0) + 1, -1, np.int16)
    for value, train in mapping.items():
        table[value] = train
    return table


def _read_mapping(path: Path) -> dict[int, int]:
    if not path.is_file():
        raise FileNotFoundError(
            f"expected ids 'train' or 'cityscapes', or a mapping file; {path} does not exist"
        )
    try:
        mapping = {parse_number(value, int): train for value, train in read_json(path).items()}
    except ValueError as error:
        raise DepthDataError(
            f'{path}: expected a JSON object {{"value": train id, ...}}, got: {error}'
        ) from error
    bad = {
        value: train
        for value, train in mapping.items()
        if not 0 <= value < 2**16 or train not in (*range(19), UNLABELLED) or type(train) is not int
    }
    if bad:
        raise DepthDataError(
            f'{path}: expected values from 0 to 65535 and train ids from 0 to 18 or 255, got {bad}'
        )
    return mapping
