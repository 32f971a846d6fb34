import pytest

from hybrid_depth.robustness.scores import quality, resilience_rate, scores_of


def test_published_mean_resilience_of_bevdet():
    """BEVDet-R50 in docs/reference/robustness.md, "Scores": mRR 51.83 %."""
    means = (0.2486, 0.1924, 0.2408, 0.2061, 0.2565, 0.1102, 0.2461, 0.0625)
    rates = [resilience_rate([mean], 0.3770) for mean in means]
    assert sum(rates) / len(rates) == pytest.approx(0.5183, abs=5e-5)
    assert resilience_rate([0.3, 0.2, 0.1], 0.4) == pytest.approx(0.5)


def test_published_mean_resilience_of_monodepth2():
    """Monodepth2 in docs/reference/robustness.md, "Scores": mRR 84.46 %, from DEE."""

    def of_dee(dee: float) -> float:
        return quality(dict(abs_rel=0.1, a1=1.1 - 2 * dee), 'depth')

    assert of_dee(0.119) == pytest.approx(1 - 0.119)
    assert resilience_rate([of_dee(0.2559)], of_dee(0.119)) == pytest.approx(0.8446, abs=5e-5)


def test_scores_are_found_under_any_prefix():
    detector = {
        'NuScenes metric/pred_instances_3d_NuScenes/mAP': 0.1,
        'NuScenes metric/pred_instances_3d_NuScenes/mAP_present': 0.2,
        'NuScenes metric/pred_instances_3d_NuScenes/NDS': 0.3,
        'NuScenes metric/depth/abs_rel': 0.4,
        'NuScenes metric/depth/a1': 0.5,
    }
    assert scores_of(detector) == dict(mAP=0.1, NDS=0.3, abs_rel=0.4, a1=0.5)
    depth = {'depth/abs_rel': 0.1, 'depth/unscaled/abs_rel': 0.9, 'depth/moving/a1': 0.2}
    assert scores_of(depth) == dict(abs_rel=0.1)


def test_quality_of_what_was_not_measured():
    assert quality({}, 'NDS') is None and quality(dict(abs_rel=0.1), 'depth') is None
