"""Tiny random BLIP in the layout of a real one, for captions without a download."""

from pathlib import Path

import torch

WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '[DEC]', 'a', 'street', 'with', 'cars']


def write_tiny_blip(folder: Path) -> Path:
    """Write a model and its processors to a folder that exists; needs transformers."""
    import transformers

    (folder / 'vocab.txt').write_text('\n'.join(WORDS))
    transformers.BertTokenizer(str(folder / 'vocab.txt')).save_pretrained(folder)
    size = dict(height=32, width=32)
    transformers.BlipImageProcessor(size=size).save_pretrained(folder)
    small = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
    tokens = dict(bos_token_id=5, eos_token_id=3, pad_token_id=0, sep_token_id=3)
    config = transformers.BlipConfig(
        text_config=dict(small, vocab_size=len(WORDS), encoder_hidden_size=16, **tokens),
        vision_config=dict(small, image_size=32, patch_size=16),
        projection_dim=16,
    )
    torch.manual_seed(0)
    transformers.BlipForConditionalGeneration(config).save_pretrained(folder)
    assert (folder / 'model.safetensors').is_file()
    return folder
