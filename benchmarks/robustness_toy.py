"""Study of robustness: toy detectors under corruptions, calibration errors and on other rigs.

The hybrid detector, the same without the ground prior, and the same without both prior and encoder.
"""

import subprocess
import sys
from pathlib import Path

from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.toy_world import make_toy_world
from hybrid_depth.toy_world.rig_change import RigChange

from .fb_bev import CONFIGS, METRICS
from .study import REPOSITORY, Run, run_study

RUNS = [
    Run(name, f'{CONFIGS}/{name}_toy.py')
    for name in ('bevdet_hybrid', 'bevdet_hybrid_no_prior', 'bevdet_depth')
]
#: Worlds of the same scenes as data/toy; a detector has seen the standard rig only.
RIGS = dict(high=RigChange(height=0.5), tilted=RigChange(pitch=4.0), longer=RigChange(focal=1.25))


def main(folder: str) -> None:
    """Train the detectors, make the other rigs, and write a report of each detector.

    The last report has all of them beside each other. Finished parts are kept.
    """
    study = Path(folder).resolve()
    run_study(RUNS, study, METRICS, jobs=2)
    roots = [study / 'rigs' / name for name in RIGS]
    for root, rig in zip(roots, RIGS.values(), strict=True):
        make_toy_world(root, keyframes=16, size=(256, 144), keep=True, rig=rig)
        create_nuscenes_infos(root, 'v1.0-mini')
    reports: list[Path] = []
    for run in RUNS:
        checkpoint = (run.folder(study) / 'last_checkpoint').read_text()
        out = study / 'reports' / run.name
        command = [REPOSITORY / 'tools' / 'robustness.py', REPOSITORY / run.config, checkpoint]
        command += ['--out', out, '--other-data', *roots]
        command += ['--beside', *reports] if reports else []
        subprocess.run([sys.executable, *map(str, command)], cwd=REPOSITORY, check=True)
        reports.append(out)
