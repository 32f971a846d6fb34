import pytest
from mmengine.config import Config

from hybrid_depth.doctor.evaluation_pipelines import check_test_transforms
from hybrid_depth.findings import ConventionError

FIXED = [dict(type='LoadFrames'), dict(type='ImageAugmentation', final_size=(4, 8), random=False)]


@pytest.mark.parametrize(
    'transform',
    [
        dict(type='ImageAugmentation', final_size=(4, 8), random=True),
        dict(type='BEVAugmentation'),
        dict(type='mmdet3d.RandomFlip3D'),
        dict(type='JitterFrames'),
    ],
)
@pytest.mark.parametrize('part', ['val_dataloader', 'test_dataloader'])
def test_random_transforms_in_evaluation(transform, part):
    loader = dict(dataset=dict(type='X', pipeline=[*FIXED, transform]))
    cfg = Config({part: loader, 'train_dataloader': loader})
    kind = transform['type'].rsplit('.')[-1]
    with pytest.raises(ConventionError, match=rf'{part} without .*{kind}.*pipeline\[2\]'):
        check_test_transforms(cfg)


def test_random_transforms_in_training_are_allowed():
    loader = dict(dataset=dict(pipeline=[*FIXED, dict(type='BEVAugmentation')]))
    check_test_transforms(Config(dict(train_dataloader=loader)))
