"""Where config files are: those of the user, and those that come with the package."""

from pathlib import Path

#: The shipped configs. In the repository it is a link to its `configs/`.
FOLDER = Path(__file__).with_name('configs')


def find_config(path: str | Path) -> Path:
    """A config file by its path, or by its name among the shipped ones.

    Args:
        path: a file; or a shipped config, such as `toy/bevdet_hybrid_toy.py`, with or without
            `configs/` in front.

    Raises:
        FileNotFoundError: no such file.
    """
    path = Path(path)
    shipped = FOLDER.joinpath(*path.parts[path.parts[:1] == ('configs',) :])
    for place in (path, shipped):
        if place.is_file():
            return place
    raise FileNotFoundError(
        f'Expected a config file, got {path}, which does not exist, neither here nor among the '
        f'configs of this package ({FOLDER}).'
    )
