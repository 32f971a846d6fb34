"""Text features to the distribution of a scene's latent."""

from __future__ import annotations

from torch import Tensor, nn

from ...errors import ConfigError


class TextVAE(nn.Module):
    """Mean and standard deviation of a scene's latent from its text feature.

    WorDepth (docs/reference/wordepth.md, "WorDepth"): two MLPs with LeakyReLU, one of the
    mean and one of the log variance.

    Args:
        text_width: width of the text feature.
        hidden: widths of the hidden layers.
        latent: width of the latent.
    """

    def __init__(
        self, text_width: int = 1024, hidden: tuple[int, ...] = (512, 256), latent: int = 128
    ) -> None:
        super().__init__()
        self.text_width = text_width
        self.mean = _mlp(text_width, *hidden, latent)
        self.log_variance = _mlp(text_width, *hidden, latent)

    def forward(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Text features (B, text_width) -> mean and standard deviation, each (B, latent).

        Raises:
            ConfigError: another width.
        """
        if text.ndim != 2 or text.shape[1] != self.text_width:
            raise ConfigError(
                f'TextVAE: expected text features (B, {self.text_width}), got '
                f'{tuple(text.shape)}; set text_width of the model to the width of LoadText: the '
                "tower's, or twice that with object sentences"
            )
        return self.mean(text), (0.5 * self.log_variance(text)).exp()


def _mlp(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(before, after), nn.LeakyReLU()]
    return nn.Sequential(*layers[:-1])
