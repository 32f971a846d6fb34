import pytest

from tests.engine.kill_resume import assert_resume_is_exact
from tests.engine.tiny import CONFIG


@pytest.mark.parametrize('workers', [2])
def test_killed_and_resumed_equals_uninterrupted(tmp_path, workers):
    config = tmp_path / 'tiny.py'
    config.write_text(CONFIG.format(workers=workers))
    # 3 iterations per epoch: killed in the middle of the second epoch
    assert_resume_is_exact(config, tmp_path, kill_at_iter=5, last='epoch_3.pth')
