"""The 697 frames of KITTI's Eigen test split (Eigen et al., NIPS 2014), left camera.

Each drive has about 25 evenly spaced frames, written as ranges `first-last/step`. They are in
ascending order; the lists in most releases have the same frames shuffled within each drive, so
predictions stored in that order need that list.
"""

from __future__ import annotations

_RANGES = """
2011_09_26 0002  0-63/3 69-75/3
2011_09_26 0009  0-176/16 196-388/16
2011_09_26 0013  0-10/5 20-20/1 30-50/5 60-70/5 80-140/5
2011_09_26 0020  0-21/3 27-27/1 33-36/3 42-78/3 84-84/1
2011_09_26 0023  18-216/18 252-468/18
2011_09_26 0027  0-98/7 112-147/7 161-182/7
2011_09_26 0029  0-196/14 268-268/1 296-408/14
2011_09_26 0036  0-704/32 768-800/32
2011_09_26 0046  0-120/5
2011_09_26 0048  0-21/1
2011_09_26 0052  0-22/2 26-32/2 36-52/2
2011_09_26 0056  11-121/11 143-286/11
2011_09_26 0059  0-154/14 182-238/14 274-372/14
2011_09_26 0064  0-110/22 154-550/22
2011_09_26 0084  49-153/13 179-374/13
2011_09_26 0086  7-520/27 574-682/27
2011_09_26 0093  0-256/16 305-417/16
2011_09_26 0096  0-456/19
2011_09_26 0101  80-216/34 284-930/34
2011_09_26 0106  15-15/1 35-219/8
2011_09_26 0117  0-494/26 546-650/26
2011_09_28 0002  0-12/3 18-24/3 30-39/3 45-63/3 72-72/1 78-90/3
2011_09_29 0071  0-612/36 735-807/36 879-951/36 1054-1054/1
2011_09_30 0016  0-88/11 110-275/11
2011_09_30 0018  0-214/107 428-2247/107 2419-2740/107
2011_09_30 0027  0-656/41 753-958/41 1040-1081/41
2011_10_03 0027  0-543/181 734-2001/181 2363-4535/181
2011_10_03 0047  0-224/32 288-800/32
"""


def _numbers(text: str) -> list[int]:
    """Frame numbers of one range 'first-last/step', both ends included."""
    bounds, step = text.split('/')
    first, last = bounds.split('-')
    return list(range(int(first), int(last) + 1, int(step)))


def _parse() -> dict[str, list[int]]:
    drives = {}
    for line in _RANGES.split('\n')[1:-1]:
        day, drive, *ranges = line.split()
        folder = f'{day}/{day}_drive_{drive}_sync'
        drives[folder] = [number for text in ranges for number in _numbers(text)]
    return drives


EIGEN_TEST_DRIVES: dict[str, list[int]] = _parse()


def eigen_test_frames() -> list[tuple[str, int, str]]:
    """(folder, frame number, side) of the 697 frames."""
    return [
        (folder, number, 'l') for folder, numbers in EIGEN_TEST_DRIVES.items() for number in numbers
    ]
