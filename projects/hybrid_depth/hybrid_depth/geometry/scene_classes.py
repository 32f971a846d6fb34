"""The 19 classes of Cityscapes (train ids) by the surface that they are, for embodied depth."""

CLASSES = (
    'road',
    'sidewalk',
    'building',
    'wall',
    'fence',
    'pole',
    'traffic light',
    'traffic sign',
    'vegetation',
    'terrain',
    'sky',
    'person',
    'rider',
    'car',
    'truck',
    'bus',
    'train',
    'motorcycle',
    'bicycle',
)
UNLABELLED = 255
ROAD, SIDEWALK, TERRAIN, SKY = (CLASSES.index(x) for x in ('road', 'sidewalk', 'terrain', 'sky'))
#: Flat classes, by which the others stand.
GROUND = (ROAD, SIDEWALK, TERRAIN)
#: Long vertical surfaces, whose depth changes along the surface.
SURFACES = tuple(CLASSES.index(x) for x in ('building', 'wall', 'fence', 'vegetation'))
#: Compact things with one distance each. Without instances, the classes of a group are merged: a
#: sign stands where its pole does, a rider where the bicycle does.
THING_GROUPS = (
    tuple(CLASSES.index(x) for x in ('pole', 'traffic light', 'traffic sign')),
    tuple(CLASSES.index(x) for x in ('rider', 'motorcycle', 'bicycle')),
    *((CLASSES.index(x),) for x in ('person', 'car', 'truck', 'bus', 'train')),
)
THINGS = tuple(sorted(index for group in THING_GROUPS for index in group))
