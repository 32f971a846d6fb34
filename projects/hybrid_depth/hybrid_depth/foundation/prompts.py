"""Depth prompts with fixed words or learned tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:  # takes a second to import, see clip.py
    import open_clip

TEMPLATE = 'This {object} appears to be {depth}'
DEPTH_WORDS = (
    'very close',
    'close',
    'slightly close',
    'neither close nor distant',
    'slightly distant',
    'distant',
    'very distant',
)


@cache
def clip_tokenizer() -> open_clip.SimpleTokenizer:
    """CLIP's byte-pair tokenizer (49408 entries), read once."""
    import open_clip

    return open_clip.SimpleTokenizer()


class DepthPrompts(nn.Module):
    """Prompts 'This {object} appears to be {depth}' for N depth words, fixed or learned.

    Stage 1 of Hybrid-depth uses the seven words of `DEPTH_WORDS`; stage 2 replaces the depth word
    by N learned vectors (docs/reference/hybrid_depth.md, "Depth sentences"). The context is cut to
    the longest prompt: attention in CLIP's text tower is causal, so padding to 77 tokens has no
    effect.

    Args:
        width: width of the text tower's token embedding.
        num_tokens: number of learned depth tokens; None to use `words`.
        words: depth words, near to far; only without learned tokens.
        subject: replaces {object}.
        template: sentence with {object} and {depth}.

    Attributes:
        ids (Tensor): (N, L) token ids. Learned token i has id 49408 + i, beyond the vocabulary.
        end (Tensor): (N,) index of the end-of-text token, whose output is the sentence feature.
        tokens (nn.Parameter | None): (N, width) learned vectors, initialised N(0, 0.02).

    Example:
        >>> fixed = DepthPrompts(width=8)
        >>> len(fixed), clip_tokenizer().decode(fixed.ids[1, 1:7].tolist()).strip()
        (7, 'this patch appears to be close')
        >>> DepthPrompts(width=8, num_tokens=2).ids[1].tolist()  # the word is a learned vector
        [49406, 589, 8721, 8743, 531, 655, 49409, 49407]
    """

    def __init__(
        self,
        width: int,
        num_tokens: int | None = None,
        words: Sequence[str] = DEPTH_WORDS,
        subject: str = 'patch',
        template: str = TEMPLATE,
    ) -> None:
        super().__init__()
        if template.count('{depth}') != 1:
            raise ValueError(f"expected a template with one '{{depth}}', got {template!r}")
        before, after = template.replace('{object}', subject).split('{depth}')
        tokenizer = clip_tokenizer()
        if num_tokens is None:
            middle = [tokenizer.encode(word) for word in words]
        else:
            middle = [[tokenizer.vocab_size + i] for i in range(num_tokens)]
        start = [tokenizer.sot_token_id, *tokenizer.encode(before)]
        stop = [*tokenizer.encode(after), tokenizer.eot_token_id]
        rows = [torch.tensor([*start, *word, *stop]) for word in middle]
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        end = torch.tensor([len(row) - 1 for row in rows])
        self.register_buffer('ids', ids, persistent=False)
        self.register_buffer('end', end, persistent=False)
        self.learned_position = len(start)
        self.tokens = None
        if num_tokens is not None:
            self.tokens = nn.Parameter(torch.empty(num_tokens, width))
            nn.init.normal_(self.tokens, std=0.02)

    def __len__(self) -> int:
        return len(self.ids)

    def forward(self, embedding: nn.Embedding) -> Tensor:
        """Token vectors (N, L, width) before the positional embedding is added."""
        if self.tokens is None:
            return embedding(self.ids)
        at = self.learned_position
        left, right = embedding(self.ids[:, :at]), embedding(self.ids[:, at + 1 :])
        return torch.cat([left, self.tokens[:, None].to(left.dtype), right], dim=1)
