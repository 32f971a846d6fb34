import torch
from mmengine.registry import DATASETS

from hybrid_depth.datasets.cached import CachedDataset


@DATASETS.register_module()
class CountingDataset:
    """Data set that counts its reads."""

    metainfo = dict(classes=['car'])

    def __init__(self) -> None:
        self.reads = 0

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> dict:
        self.reads += 1
        return dict(inputs=torch.full((2,), float(index)))


def test_a_sample_is_read_once_and_not_changed():
    cached = CachedDataset(dict(type='CountingDataset'))
    assert len(cached) == 2 and cached.metainfo == dict(classes=['car'])
    cached[1]['inputs'].fill_(7)
    assert cached[1]['inputs'].tolist() == [1, 1] and cached[0]['inputs'].tolist() == [0, 0]
    assert cached.dataset.reads == 2
