"""Initialisation of an encoder from the checkpoint of another training, such as stage 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import print_log
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn

from .safe_load import load_checkpoint_file
from .weights import CheckpointMismatchError, few, mismatches, weights_of

PREFIX = 'encoder.'
STAGE_1 = 'hybrid_depth/hybrid-depth-stage1_clip-dinov2_1xb6-20e_tusimple_224x392.py'


@WEIGHT_INITIALIZERS.register_module()
class EncoderWeights:
    """Initialiser (`init_cfg`) of the encoder of a depth model or detector from a depth model's
    checkpoint.

    Runs once, at the start of a new training. Every tensor is accounted for: the checkpoint's
    `encoder.*` must fill the whole encoder except `new`, and all of them must be used except
    `unused`. Loaded, new and unused tensors are logged. Stage 2 of Hybrid-depth starts from stage 1
    this way (docs/reference/hybrid_depth.md, "Stage 2 training") with new learned depth tokens,
    decoder and pose net.

    Args:
        checkpoint: a checkpoint of this toolkit (convert the official `stage1.ckpt` first:
            hybrid-depth convert-checkpoint hybrid-depth-stage1).
        new: name prefixes of encoder tensors that may be missing in the checkpoint; they keep
            their initial values then.
        unused: name prefixes of tensors in the checkpoint's encoder that are not loaded, such as
            'language' for an encoder without text.
        part: submodule with the `encoder`, in the model that has this `init_cfg`: '' for a depth
            model, 'img_view_transformer.depth_net' for a detector. Of a `PriorEncoder` the tower
            is loaded.

    Raises:
        FileNotFoundError: the file does not exist.
        CheckpointMismatchError: tensors that do not match, with their names.
    """

    def __init__(
        self,
        checkpoint: str,
        new: Sequence[str] = ('language.prompts',),
        unused: Sequence[str] = (),
        part: str = '',
    ) -> None:
        self.checkpoint, self.part = checkpoint, part
        self.new, self.unused = tuple(new), tuple(unused)

    def __call__(self, module: nn.Module) -> None:
        """Load into the `encoder` of the module, or of its part."""
        module = module.get_submodule(self.part)
        if not Path(self.checkpoint).expanduser().is_file():
            raise FileNotFoundError(
                f'expected the checkpoint {self.checkpoint} to initialise the encoder, which does '
                f'not exist. Train stage 1 first (hybrid-depth train {STAGE_1}), name another '
                'file with --cfg-options model.init_cfg.checkpoint=FILE, or start from the '
                'foundation weights with --cfg-options model.init_cfg=None'
            )
        encoder = getattr(module.encoder, 'tower', module.encoder)
        expected = encoder.state_dict()
        content = load_checkpoint_file(self.checkpoint)
        state = weights_of(content, self.checkpoint, {PREFIX + key for key in expected})
        given = {k.removeprefix(PREFIX): v for k, v in state.items() if k.startswith(PREFIX)}
        left_out = {key for key in given if key.startswith(self.unused)} if self.unused else set()
        used = {key: value for key, value in given.items() if key not in left_out}
        kept_new = {key for key in expected if key.startswith(self.new) and key not in used}
        self._require_fit(used, {k: v for k, v in expected.items() if k not in kept_new})
        encoder.load_state_dict({**expected, **used})
        others = [name for name, _ in module.named_children() if name != 'encoder']
        print_log(
            f'{self.checkpoint}: {len(used)} tensors of the encoder loaded, {len(left_out)} left '
            f'out, {len(state) - len(given)} of other parts not read; new: '
            f'{few(sorted(kept_new))} of the encoder, and {others}',
            logger='current',
        )

    def _require_fit(self, given: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
        found = mismatches(given, expected)
        if found:
            raise CheckpointMismatchError(
                f'{self.checkpoint}: expected the weights of this encoder, got {"; ".join(found)}. '
                'Use the encoder config that the checkpoint was trained with, or list the parts in '
                'init_cfg as new or unused.'
            )
