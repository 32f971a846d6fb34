"""Crop of a resized image, without resizing what the crop leaves out."""

from __future__ import annotations

from math import gcd

from PIL import Image

_SUPPORT = 2  # pixels of the bicubic kernel to each side, of the coarser image
_SAME_SCALE = 0.05


def resized_crop(
    image: Image.Image, size: tuple[int, int], crop: tuple[int, int, int, int]
) -> Image.Image:
    """`image.resize(size, BICUBIC).crop(crop)`, equal to the last bit.

    Pillow resizes along rows first, then along columns, if both change alike (from version 13 on it
    takes the cheaper order). Only the rows that the crop needs are resized, which are two thirds in
    BEVDet's crop. `box` of `Image.resize` would do more, but it has 24 bits: for
    most sizes 1 of 10,000 pixels differs. It is used where its values are integers.

    Args:
        image: RGB image.
        size: (width, height) after resizing.
        crop: left, top, right, bottom in the resized image; black outside of it.
    """
    if abs(size[0] * image.height / (size[1] * image.width) - 1) > _SAME_SCALE:
        return image.resize(size, Image.Resampling.BICUBIC).crop(crop)
    left, top, right, bottom = crop
    columns, rows = (
        range(size[0])[max(left, 0) : max(right, 0)],
        range(size[1])[max(top, 0) : max(bottom, 0)],
    )
    if not (columns and rows):
        return Image.new(image.mode, (right - left, bottom - top))
    scale = image.height / size[1]
    margin = _SUPPORT * max(scale, 1) + 1
    first = max(int(rows.start * scale - margin), 0)
    last = min(int(rows.stop * scale + margin) + 1, image.height)
    strip = image.crop((0, first, image.width, last)).resize(
        (size[0], last - first), Image.Resampling.BICUBIC
    )
    tall = Image.new(image.mode, (len(columns), image.height))
    tall.paste(strip.crop((columns.start, 0, columns.stop, last - first)), (0, first))
    # resized rows between which a whole number of rows of the image lies
    step = size[1] // gcd(size[1], image.height)
    start, stop = rows.start // step * step, -(-rows.stop // step) * step
    box = (0, start * image.height // size[1], len(columns), stop * image.height // size[1])
    resized = tall.resize((len(columns), stop - start), Image.Resampling.BICUBIC, box=box)
    return resized.crop((left - columns.start, top - start, right - columns.start, bottom - start))
