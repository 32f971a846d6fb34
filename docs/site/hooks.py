"""The pages of the documentation site: those of the repository, at their paths, and the API's.

A page of the navigation in `docs/api` is made from the docstrings of the room of its name.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ('docs', 'configs', 'projects')
FILES = ('data/README.md', 'LICENSE', 'CITATION.cff')
SUFFIXES = ('.md', '.svg', '.png', '.jpg', '.gif', '.css')
API = 'docs/api/'


def github_anchor(heading: str, separator: str) -> str:
    """GitHub's anchor of a heading, so that links with anchors work there and on the site."""
    return re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')


def nav_pages(node: object) -> list[str]:
    """Paths of the pages in a navigation."""
    if isinstance(node, str):
        return [node]
    items = node.values() if isinstance(node, dict) else node
    return [page for item in items for page in nav_pages(item)]


def sources() -> list[Path]:
    """Pages, images and legal files of the repository; of the folder of data sets only its page."""
    found = [*ROOT.glob('*.md'), *(ROOT / name for name in FILES)]
    for folder in FOLDERS:
        found += (path for path in (ROOT / folder).rglob('*') if path.suffix in SUFFIXES)
    return sorted(found)


def api_page(room: str) -> str:
    return f'# {room}\n\n::: hybrid_depth.{room}\n'


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    config.mdx_configs['toc']['slugify'] = github_anchor
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    kept = [file for file in files if file.src_dir != config.docs_dir]  # the theme's
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        kept.append(File.generated(config, name, abs_src_path=str(path)))
    for name in nav_pages(config.nav):
        if name.startswith(API):
            room = name.removeprefix(API).removesuffix('.md')
            kept.append(File.generated(config, name, content=api_page(room)))
    return Files(kept)
