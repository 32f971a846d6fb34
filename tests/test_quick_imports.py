import gc

import pytest

from hybrid_depth.quick_imports import quick_imports


@pytest.mark.parametrize('before', [True, False])
def test_garbage_collection_is_enabled_after_imports(before):
    was = gc.isenabled()
    try:
        gc.enable() if before else gc.disable()
        with pytest.raises(ImportError), quick_imports():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() == before
    finally:
        gc.enable() if was else gc.disable()
