import numpy as np

from hybrid_depth.evaluation.pose_metrics import chained_positions, piece_errors
from hybrid_depth.geometry.poses import Motion
from tests.golden.monodepth2 import values
from tests.golden.reader import Golden

EVALUATION = Golden('monodepth2_eval')
SHAPE = (12, 1, 3)


def motions(axis_angle, translation) -> np.ndarray:
    return Motion(axis_angle[:, 0], translation[:, 0]).matrix().numpy()


def test_golden_odometry():
    turns, shifts = values('odom.axisangle', SHAPE), values('odom.translation', SHAPE)
    truth = motions(0.05 * turns, shifts)
    predicted = motions(
        0.05 * (turns + 0.1 * values('odom.pred.axisangle', SHAPE)),
        0.3 * shifts + 0.05 * values('odom.pred.translation', SHAPE),
    )
    EVALUATION.check('odom.xyz', chained_positions(truth), 1e-6)
    EVALUATION.check('odom.ate', piece_errors(predicted, truth), 1e-5)
