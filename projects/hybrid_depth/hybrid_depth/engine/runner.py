"""mmengine's runner with errors for checkpoints that a training cannot continue from."""

from __future__ import annotations

from typing import Any

from mmengine.runner import Runner

from ..checkpoints.safe_load import DamagedCheckpointError
from ..errors import HybridDepthError


class CheckedRunner(Runner):
    """Runner that names the file and the remedy if the state of a training cannot be resumed."""

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """As mmengine's.

        Raises:
            DamagedCheckpointError: entries of the checkpoint are missing or of another kind.
        """
        try:
            super().resume(filename, *args, **kwargs)
        except (HybridDepthError, OSError):
            raise
        except Exception as error:  # whatever odd entries lead to in mmengine and torch
            raise DamagedCheckpointError(
                f'{filename}: expected the state of a training to resume, got other entries '
                f'({error!r}). Resume from an earlier checkpoint, or start from the weights alone: '
                '--cfg-options load_from=FILE, without --resume'
            ) from error
