import gc
import sys
import types

import pytest

from hybrid_depth.lazy import lazy_names, quick_imports


def test_a_name_imports_its_module_once(monkeypatch, tmp_path):
    package = tmp_path / 'somewhere'
    package.mkdir()
    (package / '__init__.py').write_text(
        'from hybrid_depth.lazy import lazy_names\n'
        "__getattr__, __all__ = lazy_names(__name__, dict(part=['A', 'B'], broken=['C']))\n"
    )
    (package / 'part.py').write_text('A, B = [1], 2\n')
    (package / 'broken.py').write_text('import no_such_package\n')
    monkeypatch.syspath_prepend(tmp_path)
    import somewhere

    assert somewhere.__all__ == ['A', 'B', 'C']
    assert 'somewhere.part' not in sys.modules
    assert somewhere.A == [1] and somewhere.A is somewhere.A
    assert 'A' in vars(somewhere) and 'B' not in vars(somewhere)
    with pytest.raises(AttributeError, match="module 'somewhere' has no attribute 'D'"):
        _ = somewhere.D
    with pytest.raises(ModuleNotFoundError, match='no_such_package'):
        from somewhere import C  # noqa: F401
    for name in ('somewhere', 'somewhere.part'):
        del sys.modules[name]


def test_submodules_are_imported_beside_lazy_names():
    from hybrid_depth.datasets import nuscenes_names

    assert isinstance(nuscenes_names, types.ModuleType)
    get, names = lazy_names('hybrid_depth.datasets', dict(nuscenes_names=['CAMERAS']))
    assert names == ['CAMERAS'] and len(get('CAMERAS')) == 6


@pytest.mark.parametrize('before', [True, False])
def test_garbage_is_collected_again_after_imports(before):
    was = gc.isenabled()
    try:
        gc.enable() if before else gc.disable()
        with pytest.raises(ImportError), quick_imports():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() == before
    finally:
        gc.enable() if was else gc.disable()
