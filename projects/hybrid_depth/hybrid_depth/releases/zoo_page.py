"""What the zoo has, as text and as the page docs/zoo.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import ConfigError
from ..text_files import parse_json, read_text
from .zoo import Release, metafiles, releases

_HEAD = """\
# Zoo

Every model of the toolkit with what it can do, its size and what is known of its accuracy, and the
official weights that can be used by name. Made from `configs/*/metafile.yml` by
`hybrid-depth zoo page docs/zoo.md`.

*Published* numbers are those of the paper or README named; *measured* ones were made with this
toolkit by the command named ([results](docs/results.md)). Parameters, in millions, are those of the
complete model in training.

## Official weights

None of these files is part of the toolkit, and their licences are their publishers'. They are
converted by strict converters, code in them is not run, and archives are read for weight files
alone:

```bash
.venv/bin/hybrid-depth zoo list
.venv/bin/hybrid-depth zoo info monodepth2_mono_640x192
.venv/bin/hybrid-depth zoo download monodepth2_mono_640x192 --from mono_640x192.zip
.venv/bin/hybrid-depth infer-depth images/ out/ --config monodepth2_mono_640x192
```

In Python `init_depth_model('monodepth2_mono_640x192')`, `init_bev_model('bevdet_r50_cbgs')`. What
was converted stays in `checkpoints/zoo`, or in the folder `zoo` of `HYBRID_DEPTH_WEIGHTS`.

- *By hand*: no address of the file is known for certain. Download it from the publisher's page, and
  give the file, folder or address with `--from`.
- *Download*: at the addresses that the publisher's README names. The files were not opened here.
- Tested with files in the layouts of the releases; no published file was converted yet.
- Hashes: Hugging Face states the SHA-256 of large files, which is checked. The other publishers
  state none; that of the first download is recorded in `NAME.json`, and later ones must be equal.

"""


def _label(release: Release) -> str:
    return 'download' if release.files else 'by hand'


def listing() -> str:
    """Table of the official weights, one line each."""
    rows = [('name', 'for', 'from', 'licence')]
    for release in releases().values():
        where = 'converted' if release.checkpoint.is_file() else _label(release)
        rows.append((release.name, release.model['In Collection'], where, release.licence))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return '\n'.join(
        '  '.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def description(name: str) -> str:
    """What is known of official weights or of a model.

    Args:
        name: of a release, or of a config.

    Raises:
        ConfigError: there is neither.
    """
    release = releases().get(name)
    models = {model['Name']: (model, data) for model, data in _models()}
    if release is None and name not in models:
        raise ConfigError(
            f'expected a name of `hybrid-depth zoo list` or of a config, got {name!r}'
        )
    model, data = models[name if release is None else release.model['Name']]
    lines = [f'{name}: {data["Collections"][0]["Name"]}, {", ".join(_abilities(model, data))}']
    if release is not None:
        lines += [
            f'licence: {release.licence}',
            f'source: {release.source}; {release.page}',
            *(f'address: {address}' for address in release.files or ('not known, by hand',)),
            f'converted: {release.checkpoint if release.checkpoint.is_file() else "no"}',
            hashes(release),
        ]
    lines += [f'config: {model["Config"]}', f'parameters: {model["Parameters"]} M']
    for result in model['Results']:
        numbers = ', '.join(f'{key} {value}' for key, value in result['Metrics'].items())
        source = result.get('Command', result['Source'])
        lines.append(f'{result["Evidence"]}: {numbers} ({result["Dataset"]}; {source})')
    return '\n'.join(lines)


def hashes(release: Release) -> str:
    """Recorded hashes of the official files, and whether their publisher states them."""
    if not release.record.is_file():
        return 'sha256: recorded at the first download'
    record = parse_json(read_text(release.record), release.record)
    stated = set(record['stated_by_the_publisher'])
    return '\n'.join(
        f'sha256 of {name}: {value}, '
        + ('as its publisher states' if name in stated else 'recorded at the first download')
        for name, value in record['sha256'].items()
    )


def _models() -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every model with the content of its metafile."""
    for data in metafiles():
        for model in data['Models']:
            yield model, data


def _abilities(model: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    return model.get('Abilities', data['Collections'][0]['Metadata']['Abilities'])


def page() -> str:
    """Markdown of docs/zoo.md."""
    lines = [
        _HEAD.replace('](docs/', '](') + '| name | for | from | licence |',
        '|---|---|---|---|',
        *(
            f'| `{release.name}` | {_config(release.model)} | [{_label(release)}]({release.page}) '
            f'| {release.licence} |'
            for release in releases().values()
        ),
    ]
    for data in metafiles():
        (collection,) = data['Collections']
        lines += [
            f'\n## {collection["Name"]}',
            f'\n[{collection["Paper"]["Title"]}]({collection["Paper"]["URL"]}); '
            f'[configs and commands](../{collection["README"]})\n',
            '| model | abilities | parameters M | licences of its weights | published | measured |',
            '|---|---|---|---|---|---|',
        ]
        for model in data['Models']:
            abilities = ', '.join(_abilities(model, data))
            lines.append(
                f'| {_config(model)} | {abilities} | {model["Parameters"]} | {_licences(model)} '
                f'| {_numbers(model, "published")} | {_numbers(model, "measured")} |'
            )
    return '\n'.join(lines) + '\n'


def _config(model: Mapping[str, Any]) -> str:
    """Name under which every tool finds the config."""
    return f'`{model["Config"].removeprefix("configs/")}`'


def _licences(model: Mapping[str, Any]) -> str:
    return '; '.join(dict.fromkeys(entry['Licence'] for entry in model['Weights']))


def _numbers(model: Mapping[str, Any], evidence: str) -> str:
    """Results of one kind: numbers, data, and the source or command."""
    cells = []
    for result in model['Results']:
        if result['Evidence'] == evidence:
            numbers = ', '.join(f'{key} {value}' for key, value in result['Metrics'].items())
            source = f'`{result["Command"]}`' if evidence == 'measured' else result['Source']
            cells.append(f'{numbers} ({result["Dataset"]}; {source})')
    return '<br>'.join(cells)
