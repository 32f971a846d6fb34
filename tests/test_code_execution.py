"""Nothing read from disk runs code: functions that could run it are called only as listed here."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

PACKAGE = ROOT / 'projects' / 'hybrid_depth' / 'hybrid_depth'
FOLDERS = (PACKAGE, ROOT / 'tools', ROOT / 'benchmarks')
FILES = [path for folder in FOLDERS for path in sorted(folder.rglob('*.py'))]

# Functions that run code in files or import by name; last part of the name.
DANGEROUS = {'exec', '__import__', 'import_module', 'fromstring', 'load', 'loads', 'Unpickler'}
DANGEROUS |= {'load_state_dict_from_url', 'read_pickle', 'system', 'popen'}
HARMLESS = {'json.loads', 'orjson.loads', 'json.load', 'image.load', 'tl.load'}

ALLOWED = {
    ('plain_pickle.py', 'pickle.Unpickler'),  # finds no function but stand-ins
    ('plain_pickle.py', 'unpickler.load'),
    ('info_files.py', 'yaml.load'),  # by a SafeLoader
    ('info_files.py', 'mmengine.load'),  # by the handlers of that file
    ('releases/zoo.py', 'yaml.load'),  # by BaseLoader, which makes text alone
    ('checkpoints/safe_load.py', 'torch.load'),
    ('checkpoints/safe_load.py', 'load_state_dict_from_url'),
    ('engine/hooks/checkpointing.py', 'torch.load'),  # the buffer saved two lines before
    # names in the code, or typed by the user
    ('cli/__init__.py', 'importlib.import_module'),
    ('depth_modules.py', 'importlib.import_module'),
    ('modules.py', 'importlib.import_module'),
    ('env.py', 'importlib.import_module'),
    ('optional.py', 'importlib.import_module'),
    ('tools/benchmark.py', 'importlib.import_module'),
    ('inference/depth_clip.py', 'np.load'),  # its own temporary files
    ('benchmarks/tower_crops.py', 'np.load'),  # its own crops
    ('export/int8.py', 'onnx.load'),  # protobuf: data alone
}
SAID = {
    'torch.load': ('weights_only', 'True'),
    'load_state_dict_from_url': ('weights_only', 'True'),
    'np.load': ('allow_pickle', 'False'),
    'np.lib.format.read_array': ('allow_pickle', 'False'),
}


def calls() -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    """((file, called function or base class), its keyword arguments)."""
    for path in FILES:
        folder = PACKAGE if path.is_relative_to(PACKAGE) else ROOT
        place = path.relative_to(folder).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                arguments = {word.arg: ast.unparse(word.value) for word in node.keywords}
                yield (place, ast.unparse(node.func)), arguments
            elif isinstance(node, ast.ClassDef):
                yield from (((place, ast.unparse(base)), {}) for base in node.bases)


def is_dangerous(name: str) -> bool:
    # `model.eval()` is torch's mode
    return name in ('eval', 'compile') or name.split('.')[-1] in DANGEROUS and name not in HARMLESS


def test_what_could_run_code_is_called_in_known_places():
    found = {call for call, _ in calls() if is_dangerous(call[1])}
    assert found == ALLOWED, 'read files by plain_pickle, info_files or checkpoints'


def test_loads_say_that_they_run_nothing():
    for (place, name), arguments in calls():
        if name in SAID:
            keyword, value = SAID[name]
            assert arguments.get(keyword) == value, (place, name)


def test_commands_of_the_makefile_do_neither():
    text = Path(ROOT, 'Makefile').read_text()
    assert [word for word in ('pickle', 'eval', 'exec(', 'torch.load') if word in text] == []
