"""Write CLIP features of all texts of a data set, and sentences about its objects' distances.

Examples:
  hybrid-depth make-text-features data/kitti/captions.jsonl data/kitti/text
  hybrid-depth make-text-features data/kitti/captions.jsonl data/kitti/text \\
      --embodied data/kitti_embodied --instances data/kitti_labels/instance
  hybrid-depth make-text-features data/toy_kitti/captions.jsonl data/toy_kitti_text \\
      --tower RN50-quickgelu --pretrained none
Writes OUT/features.safetensors, the features of every different text, with the digests of text and
tower, and with --embodied OUT/objects.jsonl: sentences as in Vision-Language Embodiment, from the
embodied depth (make-embodied-depth), never from measured depth. Texts whose features exist are
skipped. Train on them with LoadText; no text tower runs in training or inference.
"""

import argparse
from pathlib import Path

from .number_types import whole

FEATURES, OBJECTS = 'features.safetensors', 'objects.jsonl'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('captions', help='JSON lines file of captions (make-captions)')
    parser.add_argument('out', help='output folder')
    parser.add_argument('--embodied', help='output folder of make-embodied-depth')
    parser.add_argument('--instances', help='folder of instance label images')
    parser.add_argument('--tower', default='RN50-quickgelu', help='open_clip model')
    parser.add_argument(
        '--pretrained', default='openai', help='open_clip tag, a file, or none for random weights'
    )
    parser.add_argument('--seed', type=whole, default=0, help='of random weights (default 0)')
    parser.add_argument('--device', default='cpu', help='cpu (default) or cuda')


def run(args: argparse.Namespace) -> None:
    import torch
    from tqdm import tqdm

    from ..datasets.captions import read_texts, write_texts
    from ..datasets.object_texts import object_texts
    from ..devices import for_inference
    from ..errors import ConfigError
    from ..foundation.text_features import TextEncoder, TextFeatures

    if (args.embodied is None) != (args.instances is None):
        raise ConfigError(
            'expected --embodied and --instances together, as sentences are about the instances'
        )
    captions = read_texts(args.captions)
    out, texts = Path(args.out), [text for found in captions.values() for text in found]
    if args.embodied is not None:
        found = object_texts(captions, args.embodied, args.instances)
        objects = dict(tqdm(found, total=len(captions), desc='objects', unit='image'))
        write_texts(objects, out / OBJECTS)
        texts += [text for sentences in objects.values() for text in sentences]
    torch.manual_seed(args.seed)
    pretrained = None if args.pretrained == 'none' else args.pretrained
    encode = TextEncoder(args.tower, pretrained)
    for_inference(encode.model, args.device)
    path = out / FEATURES
    before = TextFeatures.read(path) if path.exists() else TextFeatures.empty(encode)
    after = before.with_texts(texts, encode)
    after.write(path)
    print(
        f'{path}: {len(after.rows)} texts of {len(captions)} images, '
        f'{len(after.rows) - len(before.rows)} new, width {after.width}, by {after.tower}'
    )
