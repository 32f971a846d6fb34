"""Depth of tiny random models, which the tests write in the layout of real ones."""

import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config

from hybrid_depth.depth.estimators import TransformersDepth
from hybrid_depth.depth.estimators.init import init_depth_model
from hybrid_depth.errors import ConfigError, HybridDepthError, MissingInputError
from tests.depth.estimators.teachers import tiny

pytest.importorskip('transformers')
FAMILIES = dict(
    depth_anything=(tiny.depth_anything, 'disparity'),
    depth_anything_metric=(tiny.depth_anything_metric, 'metric'),
    depth_pro=(tiny.depth_pro, 'metric'),
    dpt=(tiny.dpt, 'disparity'),
    glpn=(tiny.glpn, 'metric'),
    zoedepth=(tiny.zoedepth, 'metric'),
)
#: These have a processor that one of the others has too.
LIKE_OTHERS = ('depth_anything_metric', 'dpt', 'glpn')


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    """Path of a model, which is made on first use."""
    made = {}

    def folder(name):
        if name not in made:
            path = tmp_path_factory.mktemp(name)
            made[name] = tiny.save(FAMILIES[name][0](), path, 'cc-by-nc-4.0')
        return str(made[name])

    return folder


@pytest.fixture(scope='module')
def images():
    return np.random.default_rng(0).integers(0, 256, (2, 40, 60, 3)).astype(np.uint8)


def frames(images):
    return {0: torch.from_numpy(images).permute(0, 3, 1, 2) / 255}


def official(folder, images):
    """As in the models' documentation, image by image."""
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    model = AutoModelForDepthEstimation.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder)
    maps = []
    for image in images:
        with torch.no_grad():
            outputs = model(**processor(images=image, return_tensors='pt'))
        kwargs = dict(source_sizes=[(40, 60)]) if 'Zoe' in type(model).__name__ else {}
        (found,) = processor.post_process_depth_estimation(
            outputs, target_sizes=[(40, 60)], **kwargs
        )
        maps.append(found['predicted_depth'])
    return torch.stack(maps)[:, None]


@pytest.mark.parametrize(
    'name',
    [pytest.param(x, marks=[pytest.mark.slow] * (x in LIKE_OTHERS)) for x in FAMILIES],
)
def test_depth_is_that_of_the_official_pipeline(name, folders, images):
    model = TransformersDepth(folders(name)).eval()
    prediction = model.predict(frames(images))
    assert prediction.kind == FAMILIES[name][1] == model.kind
    expected = official(folders(name), images)
    assert expected.std() > 1e-3 * expected.abs().mean()  # not constant
    positive = expected == model._positive(expected)
    assert positive.float().mean() > 0.3 and (prediction.values > 0).all()
    torch.testing.assert_close(
        prediction.values[positive], expected[positive], rtol=1e-3, atol=1e-4
    )
    assert model.licence == 'cc-by-nc-4.0'


def test_sky_of_disparity_0_is_far_not_infinite(folders):
    model = TransformersDepth(folders('dpt'))
    values = torch.tensor([[[[0.0, -2.0, 50.0]]], [[[0.0, 0.0, 0.0]]]])
    assert model._positive(values)[0].flatten().tolist() == pytest.approx([0.05, 0.05, 50.0])
    assert (model._positive(values)[1] > 0).all()


def test_depth_pro_follows_a_known_focal_length(folders, images):
    model = TransformersDepth(folders('depth_pro')).eval()
    cameras = torch.tensor([[30.0, 0, 30], [0, 30, 20], [0, 0, 1]]).repeat(2, 1, 1)
    near = model.predict(frames(images), cameras).values
    cameras[1, 0, 0] = 60
    found = model.predict(frames(images), cameras).values
    assert (found[0] == near[0]).all()
    inside = (near[1] > 0.02) & (found[1] < 1e3)  # no limit is reached
    torch.testing.assert_close(found[1][inside], 2 * near[1][inside])
    assert inside.float().mean() > 0.1
    assert model.focal_rule == 'given'


def test_depth_pro_without_its_fov_network_needs_cameras(tmp_path, images):
    model = TransformersDepth(str(tiny.save(tiny.depth_pro(False), tmp_path)))
    with pytest.raises(MissingInputError, match='--intrinsics'):
        model.predict(frames(images))
    assert model.licence is None


def test_a_model_is_used_by_the_api_without_a_checkpoint(folders, images, recwarn):
    from hybrid_depth.apis import infer_depth

    config = Config(dict(model=dict(type='TransformersDepth', name=folders('zoedepth'))))
    model = init_depth_model(config)
    (result,) = infer_depth(model, images[0])
    assert result.kind == 'metric' and result.depth.shape == (40, 60)
    assert not [x for x in recwarn if 'random weights' in str(x.message)]
    (sample,) = model(dict(images={i: x[:1] for i, x in frames(images).items()}), mode='predict')
    assert sample.kind == 'metric' and sample.pred_depth.shape == (1, 40, 60)  # as evaluated
    with pytest.raises(ConfigError, match='expected inference'):
        model.loss({})


def test_kinds_of_unknown_families_are_asked_for(folders):
    with pytest.raises(ConfigError, match='expected a kind among'):
        TransformersDepth(folders('dpt'), kind='inverse')
    assert TransformersDepth(folders('dpt'), kind='metric').kind == 'metric'


def test_other_models_and_no_transformers(tmp_path, monkeypatch):
    with pytest.raises(HybridDepthError, match='expected a depth model of transformers'):
        TransformersDepth(str(tmp_path))
    monkeypatch.setitem(sys.modules, 'transformers', None)
    with pytest.raises(HybridDepthError, match='pip install'):
        TransformersDepth(str(tmp_path))
