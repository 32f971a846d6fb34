"""Every citation in the repository can be opened: pages, headings, links, public sources."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

REFERENCE = 'docs/reference'
FOLDERS = ('benchmarks', 'configs', 'docs', 'projects', 'requirements', 'tests', 'tools')
FILES = ('CHANGELOG.md', 'CONTRIBUTING.md', 'Makefile', 'README.md', 'data/README.md')
SUFFIXES = ('.cfg', '.md', '.py', '.sh', '.toml', '.txt', '.yaml', '.yml')
WRITTEN = {  # generated, so not in the repository
    'table.md': 'benchmarks/study.py',
    'study/table.md': 'benchmarks/study.py',
    'answers.md': 'benchmarks/claims.py',
}

CITATION = re.compile(rf'{REFERENCE}/(\w+\.md), "([^"]+)"')
MENTION = re.compile(rf'(?<!\]\(){REFERENCE}/\w[\w.]*')  # neither a link nor the folder alone
MARKDOWN = re.compile(r'(github\.com/[\w.-]+/[\w.-]+, )?([\w./*{},-]*\w[\w*}]*\.md)\b')
LINK = re.compile(r'\]\(([^)\s]+)\)')
ISSUE = re.compile(r'\b[A-Za-z][\w-]* #\d{1,5}\b')
HEADING = re.compile(r'^#{1,6} (.+?)\s*$', re.MULTILINE)
CODE_BLOCK = re.compile(r'^( {4}|```).*$', re.MULTILINE)


def sources() -> list[Path]:
    """All text files of the repository except this one, which has examples of wrong citations."""
    found = [ROOT / name for name in FILES]
    for folder in FOLDERS:
        found += (path for path in (ROOT / folder).rglob('*') if path.suffix in SUFFIXES)
    return sorted(path for path in found if path != Path(__file__))


def flat(text: str) -> str:
    """One line: a citation may be broken between lines of a docstring or a comment."""
    return re.sub(r'\s*\n[ \t]*(#+ )?', ' ', text)


def headings(page: Path) -> list[str]:
    return HEADING.findall(page.read_text())


def anchors(page: Path) -> set[str]:
    """GitHub's anchors of the headings."""
    kept = (re.sub(r'[^\w\- ]', '', heading.lower()) for heading in headings(page))
    return {name.replace(' ', '-') for name in kept}


def problems(text: str, path: Path) -> list[str]:
    """Problems of the citations in a text."""
    line, found = flat(text), []
    if '§' in line:
        found.append('§: expected docs/reference/PAGE.md, "Heading", or a paper with its section')
    found += (f'{name}: expected github.com/OWNER/NAME, issue N' for name in ISSUE.findall(line))
    cited = CITATION.findall(line)
    for page, heading in cited:
        if not (ROOT / REFERENCE / page).is_file():
            found.append(f'{REFERENCE}/{page}: no such page')
        elif heading not in headings(ROOT / REFERENCE / page):
            found.append(f'{REFERENCE}/{page}: no heading "{heading}"')
    if len(MENTION.findall(line)) > len(cited):
        found.append(f'{REFERENCE}: a page is named without its heading')
    for public, name in MARKDOWN.findall(line):
        places = (ROOT / name, path.parent / name)
        if not public and name not in WRITTEN and not any(place.is_file() for place in places):
            found.append(f'{name}: no such file here; a public one is cited with its repository')
    if path.suffix == '.md':
        found += broken_links(CODE_BLOCK.sub('', text), path)
    return found


def broken_links(text: str, path: Path) -> list[str]:
    found = []
    for target in LINK.findall(text):
        if target.startswith(('http://', 'https://')):
            continue
        name, _, anchor = target.partition('#')
        page = path.parent / name if name else path
        if not page.exists():
            found.append(f'link {target}: no such file')
        elif anchor and anchor not in anchors(page):
            found.append(f'link {target}: no such heading')
    return found


def test_all_citations_resolve():
    found = [
        f'{path.relative_to(ROOT)}: {problem}'
        for path in sources()
        for problem in problems(path.read_text(), path)
    ]
    assert not found, '\n'.join(found)


def test_every_section_is_cited():
    """The pages contain only what the repository cites."""
    cited = {pair for path in sources() for pair in CITATION.findall(flat(path.read_text()))}
    pages = sorted((ROOT / REFERENCE).glob('*.md'))
    sections = {
        (page.name, heading)
        for page in pages
        if page.name != 'README.md'
        for heading in headings(page)[1:]
    }
    assert sections, 'no section was found'
    assert not sections - cited, sorted(sections - cited)


def test_headings_of_a_page_are_unique():
    for page in (ROOT / REFERENCE).glob('*.md'):
        assert len(set(headings(page))) == len(headings(page)), page.name


def test_pages_are_listed():
    listed = LINK.findall((ROOT / REFERENCE / 'README.md').read_text())
    pages = {page.name for page in (ROOT / REFERENCE).glob('*.md')} - {'README.md'}
    assert set(listed) == pages


@pytest.mark.parametrize(
    ('text', 'problem'),
    [
        ('see docs/reference/bevdet.md, "Voxel\n    # pooling")', None),
        ('see docs/reference/bevdet.md, "No such heading"', 'no heading "No such heading"'),
        ('see docs/reference/absent.md, "Voxel pooling"', 'no such page'),
        ('see docs/reference/bevdet.md', 'without its heading'),
        ('as BEVDet does (bev.md §1.7)', '§'),
        ('as BEVDet does (bev.md errata 7)', 'bev.md: no such file'),
        ('numbers of golden/bevdet.md', 'golden/bevdet.md: no such file'),
        ('see github.com/nutonomy/nuscenes-devkit, docs/schema_nuscenes.md', None),
        ('see docs/schema_nuscenes.md', 'no such file'),
        ('the kernel aborts (BEVDet #229)', 'BEVDet #229: expected github.com'),
        ('see [the results](docs/results.md#results) and data/README.md', None),
        ('see [the results](docs/results.md#absent)', 'no such heading'),
        ('see [the results](docs/absent.png)', 'link docs/absent.png: no such file'),
    ],
)
def test_broken_citations_are_found(text, problem):
    found = problems(text, ROOT / 'README.md')
    if problem is None:
        assert not found
    else:
        assert problem in '\n'.join(found)
