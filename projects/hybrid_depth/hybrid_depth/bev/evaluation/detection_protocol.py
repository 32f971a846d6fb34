"""Rules of a detection benchmark: classes, ranges, filters and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from ...config_errors import nearest
from ...errors import ConfigError

#: Errors of true positives, by nuScenes' names, and the names of their means.
ERRORS = dict(
    trans_err='mATE', scale_err='mASE', orient_err='mAOE', vel_err='mAVE', attr_err='mAAE'
)
_RANGES = dict(
    car=50.0,
    truck=50.0,
    bus=50.0,
    trailer=50.0,
    construction_vehicle=50.0,
    pedestrian=40.0,
    motorcycle=40.0,
    bicycle=40.0,
    traffic_cone=30.0,
    barrier=30.0,
)
_UNDEFINED = dict(
    traffic_cone=('attr_err', 'vel_err', 'orient_err'), barrier=('attr_err', 'vel_err')
)


@dataclass(frozen=True)
class DetectionProtocol:
    """Detection benchmark; by default that of nuScenes (docs/reference/nuscenes.md, "Scores").

    Args:
        ranges: classes, with the largest distance from the vehicle that is evaluated, metres.
        distances: limits of matches over which average precision is averaged, metres.
        error_distance: limit of the matches whose errors are averaged; one of `distances`.
        min_recall: recall from which on precision and errors count.
        min_precision: precision that counts as 0.
        ap_weight: weight of mAP in the summary, beside 1 for each error.
        errors: errors in the summary.
        half_turn: classes whose yaw is known up to half a turn.
        undefined: errors that do not exist, by class.
        min_points: LiDAR and radar points of the smallest box of the ground truth that counts.
        rack_classes: classes that are not evaluated inside bicycle racks.
        max_boxes: predictions of a sample, the best ones.

    Raises:
        ConfigError: `error_distance` is none of `distances`, or an error is unknown.
    """

    ranges: Mapping[str, float] = field(default_factory=lambda: dict(_RANGES))
    distances: Sequence[float] = (0.5, 1.0, 2.0, 4.0)
    error_distance: float = 2.0
    min_recall: float = 0.1
    min_precision: float = 0.1
    ap_weight: float = 5.0
    errors: Sequence[str] = tuple(ERRORS)
    half_turn: Sequence[str] = ('barrier',)
    undefined: Mapping[str, Sequence[str]] = field(default_factory=lambda: dict(_UNDEFINED))
    min_points: int = 1
    rack_classes: Sequence[str] = ('bicycle', 'motorcycle')
    max_boxes: int = 500

    def __post_init__(self) -> None:
        if self.error_distance not in self.distances:
            raise ConfigError(
                f'expected as error_distance one of the distances {tuple(self.distances)}, got '
                f'{self.error_distance}'
            )
        unknown = [*self.errors, *(name for names in self.undefined.values() for name in names)]
        unknown = [name for name in unknown if name not in ERRORS]
        if unknown or not self.ranges:
            raise ConfigError(
                f'expected classes in ranges, and errors among {", ".join(ERRORS)}, got '
                f'{dict(self.ranges)} and {unknown}'
            )

    @property
    def classes(self) -> list[str]:
        """Names of the classes; labels of boxes are indices into it."""
        return list(self.ranges)

    def of_classes(self, names: Sequence[str]) -> DetectionProtocol:
        """The protocol for a detector of some of its classes.

        Raises:
            ConfigError: a class without a range.
        """
        own = [name for name in names if name not in self.ranges]
        if own:
            raise ConfigError(
                f'expected classes with a range, {", ".join(self.ranges)}, got {", ".join(own)}; '
                "give the metric your classes: protocol=dict(ranges={'name': metres, ...})"
            )
        return replace(self, ranges={k: v for k, v in self.ranges.items() if k in names})


def load_detection_protocol(settings: Mapping | None) -> DetectionProtocol:
    """nuScenes' protocol with some fields changed.

    Raises:
        ConfigError: an unknown field; other values as of `DetectionProtocol`.
    """
    known = [item.name for item in fields(DetectionProtocol)]
    for name in settings or ():
        if name not in known:
            raise ConfigError(
                f'expected fields of a detection protocol, {", ".join(known)}, got {name!r}'
                f'{nearest(name, known)}'
            )
    return DetectionProtocol(**(settings or {}))
