"""Time of a full-size detector with and without BatchNorms folded, in turn, and the share of the
machine's largest matrix product that its convolutions reach."""

import copy
import statistics
import tempfile
from functools import partial

import torch
from mmengine import Config
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.folding import fold_batch_norms

from .models import CONFIGS, REPOSITORY, load_sample
from .peak import peak_flops, seconds_of

REPEATS = 5


@torch.no_grad()
def main(root: str) -> None:
    """Print seconds and the median of the ratios, forward to raw head outputs and prediction."""
    init_default_scope('mmdet3d')
    peak = peak_flops()
    print(f'{torch.get_num_threads()} threads, matrix product: {peak / 1e9:.0f} GFLOP/s')
    with tempfile.TemporaryDirectory() as folder:
        create_nuscenes_infos(root, 'v1.0-mini', folder)
        for name in CONFIGS:
            cfg = Config.fromfile(REPOSITORY / 'configs' / name)
            sample = load_sample(cfg, root, f'{folder}/nuscenes_infos_train.pkl')
            model = build_model(cfg).eval()
            data = model.data_preprocessor(sample)
            folded = copy.deepcopy(model)
            fold_batch_norms(folded)
            counter = FlopCounterMode(display=False)
            with counter:
                model(**data, mode='tensor')
            print(name)
            for mode in ('tensor', 'predict'):
                times = [
                    [seconds_of(partial(m, **data, mode=mode)) for m in (model, folded)]
                    for _ in range(REPEATS + 1)
                ][1:]
                before, after = (statistics.median(column) for column in zip(*times, strict=True))
                ratio = statistics.median(b / a for a, b in times)
                share = counter.get_total_flops() / after / peak
                print(
                    f'  {mode:8} {before:6.2f} s  folded {after:6.2f} s  ratio {ratio:.2f}  '
                    f'{share:.0%} of the matrix product'
                )
