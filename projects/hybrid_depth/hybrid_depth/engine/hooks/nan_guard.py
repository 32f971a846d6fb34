"""Hook that stops training on NaN or infinity before it reaches weights or checkpoints."""

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...checkpoints.unwrap import unwrapped


def _not_finite(tensors: dict) -> list[str]:
    """Names of the floating-point tensors with NaN or infinity."""
    return [
        name
        for name, tensor in tensors.items()
        if torch.is_tensor(tensor)
        and tensor.is_floating_point()
        and not torch.isfinite(tensor).all()
    ]


@HOOKS.register_module()
class NaNGuardHook(Hook):
    """Hook that stops training and names the non-finite loss term or parameter.

    Losses are checked between the forward pass and the optimiser step, through the model's
    `parse_losses`; parameters before a checkpoint is written. So all checkpoints are finite.

    Raises:
        FloatingPointError: on the first loss term or parameter that is NaN or infinite.
    """

    def before_train(self, runner: Runner) -> None:
        model = unwrapped(runner.model)
        parse_losses = model.parse_losses

        def checked_parse_losses(losses: dict) -> tuple:
            total, log_vars = parse_losses(losses)
            if not torch.isfinite(total):
                terms = {k: v.detach() for k, v in log_vars.items() if k != 'loss'}
                values = ', '.join(f'{name}={float(value):.4g}' for name, value in terms.items())
                names = _not_finite(terms) or ['their sum']
                self._stop(runner, runner.iter + 1, f'loss term {", ".join(names)}', values)
            return total, log_vars

        model.parse_losses = checked_parse_losses

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        model = unwrapped(runner.model)
        parameters = {name for name, _ in model.named_parameters()}
        names = _not_finite({k: v for k, v in checkpoint['state_dict'].items() if k in parameters})
        if names:
            what = f'parameter {names[0]} ({len(names)} of {len(parameters)} parameters)'
            self._stop(runner, runner.iter, what, 'all losses were finite')

    @staticmethod
    def _stop(runner: Runner, iteration: int, what: str, detail: str) -> None:
        raise FloatingPointError(
            f'Epoch {runner.epoch + 1}, iteration {iteration}: {what} is NaN or infinite '
            f'({detail}). Training stops; the last checkpoint is valid. Check the learning rate, '
            'the warm-up and, with --amp, the half-precision parts; then continue with --resume.'
        )
