"""Look-up of config files of the user and of the package."""

from difflib import get_close_matches
from pathlib import Path

#: The shipped configs. In the repository it is a link to its `configs/`.
FOLDER = Path(__file__).with_name('configs')


def find_config(path: str | Path) -> Path:
    """Path of a config file, given by path or by name among the shipped ones.

    Args:
        path: a file; or a shipped config, such as `toy/bevdet_hybrid_toy.py`, with or without
            `configs/` in front.

    Raises:
        FileNotFoundError: the file does not exist; the text has shipped configs of similar name.
    """
    path = Path(path)
    shipped = FOLDER.joinpath(*path.parts[path.parts[:1] == ('configs',) :])
    for candidate in (path, shipped):
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(
        f'Expected a config file, got {path}, which exists neither in the working directory nor '
        f'among the configs of this package ({FOLDER}).{_suggestion(path.stem)}'
    )


def _suggestion(name: str) -> str:
    """Up to three shipped configs that have the name in theirs, or else a similar name."""
    paths = (path.relative_to(FOLDER) for path in sorted(FOLDER.rglob('*.py')))
    shipped = {path.stem: path.as_posix() for path in paths if path.parts[0] != '_base_'}
    similar = [stem for stem in shipped if name and name in stem]
    similar = similar or get_close_matches(name, shipped)
    return f' Similar: {", ".join(shipped[stem] for stem in similar[:3])}.' if similar else ''
