"""Official weights and models by name.

Examples:
  hybrid-depth zoo list
  hybrid-depth zoo info monodepth2_mono_640x192
  hybrid-depth zoo download monodepth2_mono_640x192 --from mono_640x192.zip
  hybrid-depth zoo page docs/zoo.md
`download` converts the weights and records their hashes; where the publisher's address is not
known, give the file that you downloaded. `infer-depth --config NAME` then uses them, as
`init_depth_model(NAME)` does in Python.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    commands.add_parser('list', help='names of the official weights')
    info = commands.add_parser('info', help='what is known about weights or a model')
    info.add_argument('name', help='name in the zoo, or of a config')
    download = commands.add_parser('download', help='get official weights and convert them')
    download.add_argument('name', help='name in the zoo')
    download.add_argument(
        '--from',
        dest='source',
        metavar='SOURCE',
        help='folder, file, .zip or https address of the release',
    )
    page = commands.add_parser('page', help='write the table of all models')
    page.add_argument('out', type=Path, help='Markdown file')


def run(args: argparse.Namespace) -> None:
    from ..releases import zoo, zoo_page

    if args.command == 'list':
        print(zoo_page.listing())
    elif args.command == 'info':
        print(zoo_page.description(args.name))
    elif args.command == 'page':
        from ..files import atomic_file

        with atomic_file(args.out, 'w') as file:
            file.write(zoo_page.page())
        print(f'wrote {args.out}')
    else:
        release = zoo.find_release(args.name)
        print(f'{release.name}: {release.licence}')
        checkpoint = zoo.download(args.name, args.source)
        print(zoo_page.hashes(release))
        print(f'wrote {checkpoint}')
