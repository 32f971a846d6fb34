"""mmengine's runner with errors for checkpoints that a training cannot continue from."""

from __future__ import annotations

from typing import Any

from mmengine.runner import Runner

from ..checkpoints.safe_load import DamagedCheckpointError
from ..errors import HybridDepthError


class CheckedRunner(Runner):
    """Runner that names the file and the remedy if the state of a training cannot be resumed."""

    def train(self) -> Any:
        """As mmengine's.

        Raises:
            DamagedCheckpointError: entries of the checkpoint are missing or of another kind.
        """
        try:
            return super().train()
        except AssertionError as error:  # of the message hub, which is read after `resume`
            if 'resumed keys cannot be modified' not in str(error) or not self._resume:
                raise
            raise _damaged(self._load_from, error) from error

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """As mmengine's; errors as of `train`."""
        self._load_from = filename  # also one that mmengine found in the work directory
        try:
            super().resume(filename, *args, **kwargs)
        except (HybridDepthError, OSError):
            raise
        except Exception as error:  # whatever odd entries lead to in mmengine and torch
            raise _damaged(filename, error) from error


def _damaged(filename: str, error: Exception) -> DamagedCheckpointError:
    return DamagedCheckpointError(
        f'{filename}: expected the state of a training to resume, got other entries '
        f'({error!r}). Resume from an earlier checkpoint, or start from the weights alone: '
        '--cfg-options load_from=FILE, without --resume'
    )
