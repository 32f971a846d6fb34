"""Random scenes: parked vehicles, work zones, traffic, people, buildings, poles and trees.

Classes are drawn from shuffled decks, so every section of a street has all ten classes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import road_users, scenery, vehicles
from .scene import Actor, Scene
from .shapes import Parts
from .street import KERB, LANE_WIDTH, SIDEWALK_EDGE, make_street

#: Street before and behind the route of the ego vehicle, metres.
SIGHT = 115.0
_ROW_LENGTH = 64.0
_WORKS_LENGTH = 18.0
_PARKING = (KERB + 2 * LANE_WIDTH) / 2
_PARKED_DECK = (
    ('car',) * 4
    + ('truck', 'bus', 'trailer', 'motorcycle') * 2
    + ('bicycle', 'construction_vehicle')
)
_TRAFFIC_DECK = ('car',) * 3 + ('truck', 'bus', 'motorcycle', 'trailer')

#: Street length of a vehicle with its gap, metres.
_STREET_LENGTH = {
    'car': 5.4,
    'truck': 8.6,
    'bus': 12.2,
    'trailer': 11.6,
    'construction_vehicle': 7.8,
}
_TWO_WHEELER_LENGTH = 2.8

_BUILDERS: dict[str, Callable] = {
    'car': vehicles.car,
    'truck': vehicles.truck,
    'bus': vehicles.bus,
    'trailer': vehicles.trailer,
    'construction_vehicle': vehicles.construction_vehicle,
    'barrier': road_users.barrier,
    'traffic_cone': road_users.traffic_cone,
}


class _Population:
    """Actors of a scene, with nuScenes attributes from their state."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.actors: list[Actor] = []

    def add(
        self,
        name: str,
        s: float,
        d: float,
        speed: float = 0.0,
        turn: float = 0.0,
        queue: bool = False,
    ) -> float:
        """Adds an actor and returns its length along x, metres."""
        moving = speed != 0
        if name in ('motorcycle', 'bicycle'):
            rider = moving or queue
            parts, size = getattr(road_users, name)(self.rng, rider)
            attribute = 'cycle.with_rider' if rider else 'cycle.without_rider'
        elif name == 'pedestrian':
            parts, size = road_users.pedestrian(self.rng, moving)
            attribute = 'pedestrian.moving' if moving else 'pedestrian.standing'
        else:
            parts, size = _BUILDERS[name](self.rng)
            attribute = (
                '' if name in ('barrier', 'traffic_cone') else _vehicle_attribute(moving, queue)
            )
        self.actors.append(Actor(name, attribute, parts, size, s, d, speed, turn))
        return float(size[1])


def _vehicle_attribute(moving: bool, queue: bool) -> str:
    if moving:
        return 'vehicle.moving'
    return 'vehicle.stopped' if queue else 'vehicle.parked'


class _Deck:
    """Class names in shuffled order; names that do not fit are kept for the next draw."""

    def __init__(self, rng: np.random.Generator, cards: tuple[str, ...]) -> None:
        self._rng, self._cards = rng, cards
        self._waiting: list[str] = []

    def deal(self, space: float = np.inf) -> str | None:
        """The first name that needs no more than ``space`` metres, None if none fits."""
        if len(self._waiting) < len(self._cards):
            self._waiting.extend(self._rng.permutation(self._cards))
        fits = (k for k, name in enumerate(self._waiting) if _street_length(name) <= space)
        place = next(fits, None)
        return None if place is None else self._waiting.pop(place)


def _street_length(name: str) -> float:
    """Street length of a vehicle with its gap, metres."""
    return _STREET_LENGTH.get(name, _TWO_WHEELER_LENGTH)


def make_scene(seed: int, index: int, duration: float) -> Scene:
    """Scene ``index`` of the toy world ``seed``, ``duration`` seconds long."""
    rng = np.random.default_rng([seed, index])
    speed = rng.uniform(7.0, 12.0)
    length = speed * duration + 2 * SIGHT
    street = make_street(rng, length)
    population = _Population(rng)
    ego_d = -LANE_WIDTH / 2
    for side in (-1, 1):
        _fill_roadside(population, side, length)
        _fill_cycle_lane(population, side, length)
        _fill_sidewalk(population, side, length)
    _fill_traffic(population, SIGHT, speed, length, duration)
    azimuth, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1.1)
    sun = np.array(
        [np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height)]
    )
    return Scene(
        street, tuple(population.actors), _scenery(rng, street, length), SIGHT, ego_d, speed, sun
    )


def _fill_roadside(population: _Population, side: int, length: float) -> None:
    """Adds alternating rows of parked vehicles and work zones to the parking lane."""
    rng = population.rng
    deck = _Deck(rng, _PARKED_DECK)
    start, works = rng.uniform(-_WORKS_LENGTH, 0), bool(rng.integers(2))
    while start < length:
        if works:
            end = start + _WORKS_LENGTH
            _work_zone(population, side, start, end)
        else:
            end = start + _ROW_LENGTH
            _parked_row(population, deck, side, start, end)
        start, works = end, not works


def _heading(side: int) -> float:
    """Heading for right-hand traffic: backwards on the left side of the street (d > 0)."""
    return np.pi if side > 0 else 0.0


def _parked_row(population: _Population, deck: _Deck, side: int, start: float, end: float) -> None:
    rng, s = population.rng, start + 1.0
    while (name := deck.deal(end - s)) is not None:
        turn = _heading(side) + rng.normal(0, 0.03) + (np.pi if rng.random() < 0.12 else 0)
        if name in ('motorcycle', 'bicycle'):
            turn += rng.choice([-1, 1]) * rng.uniform(0.1, 0.9)
        d = side * (_PARKING + rng.normal(0, 0.1))
        population.add(name, s + _street_length(name) / 2, d, turn=turn)
        s += _street_length(name) + rng.uniform(9.0, 17.0)


def _work_zone(population: _Population, side: int, start: float, end: float) -> None:
    """Adds cones or barriers towards the traffic, with a construction vehicle and people inside."""
    rng = population.rng
    edge, lane = side * 5.2, side * 7.6
    barriers_first = rng.random() < 0.5
    middle = (start + end) / 2
    for s in np.arange(start + 2.0, end - 0.8, 5.0):
        jitter = rng.normal(0, 0.08)
        if (s < middle) == barriers_first:
            population.add('barrier', s, edge + jitter, turn=np.pi / 2 + rng.normal(0, 0.05))
        else:
            population.add('traffic_cone', s, edge + jitter, turn=rng.uniform(-3, 3))
    population.add('traffic_cone', start + 0.6, side * 6.6, turn=rng.uniform(-3, 3))
    population.add('barrier', end - 0.5, side * 7.6, turn=rng.normal(0, 0.06))
    vehicle = 'construction_vehicle' if rng.random() < 0.75 else 'truck'
    population.add(
        vehicle, middle - 2.5 + rng.normal(0, 0.4), lane, turn=_heading(side) + rng.normal(0, 0.2)
    )
    population.add(
        'pedestrian',
        middle + rng.uniform(3, 5.5),
        lane + rng.uniform(-1, 1),
        turn=rng.uniform(-3, 3),
    )


def _fill_cycle_lane(population: _Population, side: int, length: float) -> None:
    """Adds bicycles and a few motorcycles to the outer lane, all at one speed."""
    rng = population.rng
    speed = -side * rng.uniform(3.0, 5.0)
    s = rng.uniform(-60, -40)
    while s < length + 60:
        name = 'bicycle' if rng.random() < 0.7 else 'motorcycle'
        population.add(name, s, side * (4.15 + rng.normal(0, 0.12)), speed, _heading(side))
        s += rng.uniform(45, 90)


def _fill_sidewalk(population: _Population, side: int, length: float) -> None:
    """Adds walking people on two tracks of opposite direction, standing people, and bicycles."""
    rng = population.rng
    for d, speed in ((11.0, rng.uniform(0.9, 1.5)), (12.2, -rng.uniform(0.9, 1.5))):
        s = rng.uniform(-20, 0)
        while s < length + 20:
            population.add(
                'pedestrian',
                s,
                side * (d + rng.normal(0, 0.12)),
                speed,
                0.0 if speed > 0 else np.pi,
            )
            s += rng.uniform(30, 75)
    s = rng.uniform(0, 15)
    while s < length:
        population.add('pedestrian', s, side * rng.uniform(10.2, 10.45), turn=rng.uniform(-3, 3))
        population.add('bicycle', s + 4, side * 10.35, turn=_heading(side) + rng.normal(0, 0.2))
        s += rng.uniform(45, 80)


def _fill_traffic(
    population: _Population, ego_s: float, ego_speed: float, length: float, duration: float
) -> None:
    """Adds vehicles to the inner lanes.

    Those around the ego vehicle are nearly as fast, the foremost the fastest, so distances change
    by a few metres within ``duration`` seconds without collisions; oncoming ones sometimes queue.
    """
    rng = population.rng
    duration = max(duration, 5.0)
    deck = _Deck(rng, _TRAFFIC_DECK)

    def drive(name: str, rear: float, side: int, speed: float, queue: bool = False) -> float:
        """Adds a vehicle (for a trailer also its truck); returns the position of its front end."""
        convoy = ('trailer', 'truck')[::-side] if name == 'trailer' else (name,)
        for member in convoy:
            middle = rear + _street_length(member) / 2
            d = side * LANE_WIDTH / 2 + rng.normal(0, 0.08)
            population.add(member, middle, d, speed, _heading(side), queue)
            rear += _street_length(member)
        return rear

    ahead, speed = ego_s + rng.uniform(14, 19), ego_speed + rng.uniform(-5, 12) / duration
    while ahead < length:
        ahead = drive(deck.deal(), ahead, -1, speed) + rng.uniform(20, 40)
        speed += rng.uniform(0, 4) / duration
    behind, speed = ego_s - rng.uniform(8, 12), ego_speed
    while behind > 0:
        name = deck.deal()
        behind -= _street_length(name) + (name == 'trailer') * _street_length('truck')
        speed -= rng.uniform(0, 4) / duration
        drive(name, behind, -1, speed)
        behind -= rng.uniform(20, 40)
    queue = rng.random() < 0.25
    speed, s = 0.0 if queue else -rng.uniform(4.0, 8.0), rng.uniform(-5, 5)
    while s < length + 60:
        s = drive(deck.deal(), s, 1, speed, queue)
        s += rng.uniform(6, 12) if queue else rng.uniform(25, 50)


def _scenery(rng: np.random.Generator, street, length: float) -> Parts:
    """Buildings along both sides, lamp posts and trees at the kerb."""
    groups: list[Parts] = []
    for side in (-1, 1):
        s = -5.0
        while s < length:
            front = rng.uniform(9, 17)
            _place(
                groups,
                scenery.building(rng, front),
                street,
                s + front / 2,
                side * (SIDEWALK_EDGE + rng.uniform(0.6, 2.2)),
                side,
            )
            s += front + (rng.uniform(4, 10) if rng.random() < 0.25 else rng.uniform(0, 0.6))
        for s in np.arange(rng.uniform(0, 12), length, 24.0):
            _place(groups, scenery.lamp_post(rng), street, s, side * (KERB + 0.5), side)
            if rng.random() < 0.6:
                _place(
                    groups,
                    scenery.tree(rng),
                    street,
                    s + rng.uniform(9, 14),
                    side * (KERB + 0.6),
                    side,
                )
    return Parts.concatenate(groups)


def _place(groups: list[Parts], parts: Parts, street, s: float, d: float, side: int) -> None:
    """Places an object beside the street with its y axis towards the street."""
    position, heading = street.pose(np.float64(s), d)
    yaw = heading + (np.pi if side > 0 else 0.0)
    groups.append(parts.placed(np.array([*position, 0.0]), yaw))
