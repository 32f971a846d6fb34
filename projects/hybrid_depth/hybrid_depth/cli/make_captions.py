"""Write a caption of every image of a folder, by an image-to-text model of transformers.

Examples:
  hybrid-depth make-captions data/kitti data/kitti/captions.jsonl \\
      --glob '*/*/image_0[23]/data/*' --model Salesforce/blip-image-captioning-base
  hybrid-depth make-captions photos photos/captions.jsonl --model FOLDER_OF_A_MODEL
Needs `pip install transformers`. A stand-in for ExpansionNet v2, whose captions WorDepth and
Vision-Language Embodiment were trained on. Only .safetensors weights are read. Images that have a
caption are skipped, so an interrupted run goes on. The toy world comes with captions.
"""

import argparse

from .number_types import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('root', help='folder of the images; captions name paths below it')
    parser.add_argument('out', help='JSON lines file')
    parser.add_argument('--model', required=True, help='folder, or name on huggingface.co')
    parser.add_argument('--glob', default='**/*', help='images below the root (default: all)')
    parser.add_argument('--batch', type=at_least(1), default=8, help='images at a time (default 8)')
    parser.add_argument('--device', default='cpu', help='cpu (default) or cuda')


def run(args: argparse.Namespace) -> None:
    from tqdm import tqdm

    from ..datasets.captioning import caption_images, find_images
    from ..foundation.captioner import Captioner

    images = find_images(args.root, args.glob)
    written = caption_images(
        args.root, images, Captioner(args.model, args.device), args.out, args.batch
    )
    count = 0
    with tqdm(total=len(images), desc='captions', unit='image') as bar:
        for number in written:
            count += number
            bar.update(number)
    print(f'{args.out}: {count} captions written, {len(images) - count} existed')
