"""The real keyframe of the visualization tests."""

from tests.visualization.conftest import real_keyframe  # noqa: F401 (a fixture)
