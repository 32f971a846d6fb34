"""Start an encoder from the checkpoint of another training, such as stage 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import print_log
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn

from .safe_load import load_checkpoint_file
from .strict_load import CheckpointMismatchError

PREFIX = 'encoder.'
_SHOWN = 8


@WEIGHT_INITIALIZERS.register_module()
class EncoderWeights:
    """`init_cfg` of a depth model, or of a detector: its encoder begins with the encoder of a depth
    model's checkpoint.

    Runs once, when training starts anew. Every tensor has to be accounted for: the checkpoint's
    `encoder.*` fill the whole encoder except `new`, and all of them are used except `unused`; what
    was loaded, left new and left out is logged. Stage 2 of Hybrid-depth starts from stage 1 in this
    way (docs/reference/hybrid_depth.md, "Stage 2 training"); its learned depth tokens, decoder and
    pose net are new.

    Args:
        checkpoint: a checkpoint of this toolkit (for the official `stage1.ckpt` convert it first:
            hybrid-depth convert-checkpoint hybrid-depth-stage1).
        new: starts of names in the encoder that may be missing in the checkpoint; they keep their
            own initial values then.
        unused: starts of names in the checkpoint's encoder that are left out, such as 'language'
            for an encoder without sentences.
        part: where the `encoder` sits in the model that has this `init_cfg`: '' for a depth model,
            'img_view_transformer.depth_net' for a detector.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointMismatchError: tensors that do not fit, with their names.
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
                f'expected the checkpoint {self.checkpoint} to start the encoder from, which does '
                'not exist. Train stage 1 first (hybrid-depth train configs/depth/'
                'hybrid_stage1_tusimple.py), name another file with --cfg-options '
                'model.init_cfg.checkpoint=FILE, or start from the foundation weights with '
                '--cfg-options model.init_cfg=None'
            )
        checkpoint = load_checkpoint_file(self.checkpoint)
        state = checkpoint.get('state_dict', checkpoint)
        given = {k.removeprefix(PREFIX): v for k, v in state.items() if k.startswith(PREFIX)}
        wanted = module.encoder.state_dict()
        left_out = {key for key in given if key.startswith(self.unused)} if self.unused else set()
        used = {key: value for key, value in given.items() if key not in left_out}
        kept_new = {key for key in wanted if key.startswith(self.new) and key not in used}
        self._require_fit(used, {k: v for k, v in wanted.items() if k not in kept_new})
        module.encoder.load_state_dict({**wanted, **used})
        others = [name for name, _ in module.named_children() if name != 'encoder']
        print_log(
            f'{self.checkpoint}: {len(used)} tensors of the encoder loaded, {len(left_out)} left '
            f'out, {len(state) - len(given)} of other parts not read; new are '
            f'{_few(kept_new)} of the encoder, and {others}',
            logger='current',
        )

    def _require_fit(self, given: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
        problems = [
            ('not in the checkpoint', wanted.keys() - given.keys()),
            ('not in this encoder', given.keys() - wanted.keys()),
            (
                'of another shape',
                {k for k in given.keys() & wanted.keys() if given[k].shape != wanted[k].shape},
            ),
        ]
        said = [f'{len(names)} {what}: {_few(names)}' for what, names in problems if names]
        if said:
            raise CheckpointMismatchError(
                f'{self.checkpoint}: expected the weights of this encoder, got {"; ".join(said)}. '
                'Take the encoder config that the checkpoint was trained with, or say in init_cfg '
                'which parts are new or unused.'
            )


def _few(names: set[str]) -> list[str]:
    shown = sorted(names)[:_SHOWN]
    return [*shown, f'and {len(names) - _SHOWN} more'] if len(names) > _SHOWN else shown
