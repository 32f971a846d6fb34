"""Tiny depth models of `transformers` with random weights, in the layout of real ones."""

from pathlib import Path

import torch


def dinov2(**kwargs):
    import transformers

    return transformers.Dinov2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        **kwargs,
    )


def depth_anything(**kwargs):
    """Depth Anything V2 (also V1)."""
    import transformers

    config = transformers.DepthAnythingConfig(
        backbone_config=dinov2(),
        reassemble_hidden_size=16,
        neck_hidden_sizes=[8] * 4,
        fusion_hidden_size=8,
        head_hidden_size=4,
        **kwargs,
    )
    processor = transformers.DPTImageProcessor(
        size=dict(height=28, width=28), keep_aspect_ratio=True, ensure_multiple_of=14
    )
    return transformers.DepthAnythingForDepthEstimation(config), processor


def depth_anything_metric():
    return depth_anything(depth_estimation_type='metric', max_depth=80)


def dpt():
    import transformers

    config = transformers.DPTConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8] * 4,
        fusion_hidden_size=8,
        is_hybrid=False,
    )
    processor = transformers.DPTImageProcessor(size=dict(height=32, width=32))
    return transformers.DPTForDepthEstimation(config), processor


def glpn():
    import transformers

    config = transformers.GLPNConfig(
        hidden_sizes=[8] * 4,
        depths=[1] * 4,
        num_attention_heads=[1] * 4,
        decoder_hidden_size=8,
        max_depth=80,
    )
    return transformers.GLPNForDepthEstimation(config), transformers.GLPNImageProcessor()


def zoedepth():
    import transformers

    backbone = transformers.BeitConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
    )
    config = transformers.ZoeDepthConfig(
        backbone_config=backbone,
        neck_hidden_sizes=[8] * 4,
        fusion_hidden_size=8,
        bottleneck_features=8,
        bin_embedding_dim=8,
        num_relative_features=4,
        bin_configurations=[dict(n_bins=8, min_depth=1e-3, max_depth=80.0)],
    )
    processor = transformers.ZoeDepthImageProcessor(size=dict(height=32, width=32))
    return transformers.ZoeDepthForDepthEstimation(config), processor


def depth_pro(use_fov_model=True):
    import transformers

    tower = dict(
        model_type='dinov2',
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
    )
    config = transformers.DepthProConfig(
        patch_size=32,
        fusion_hidden_size=8,
        intermediate_hook_ids=[1, 0],
        intermediate_feature_dims=[8, 8],
        scaled_images_ratios=[0.5, 1.0],
        scaled_images_overlap_ratios=[0.0, 0.2],
        scaled_images_feature_dims=[8, 8],
        image_model_config=tower,
        patch_model_config=tower,
        fov_model_config=tower,
        use_fov_model=use_fov_model,
        num_fov_head_layers=0,
    )
    processor = transformers.DepthProImageProcessor(size=dict(height=64, width=64))
    return transformers.DepthProForDepthEstimation(config), processor


def save(made, folder: Path, licence: str | None = None) -> Path:
    """Write a model and its processor as `save_pretrained` does, with larger random weights.

    Those of the initialisation give constant maps, which would hide mistakes.
    """
    model, processor = made
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    if licence is not None:
        (folder / 'README.md').write_text(f'---\nlicense: {licence}\ntags: [depth]\n---\n# Model\n')
    return folder
