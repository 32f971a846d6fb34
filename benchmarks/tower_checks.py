"""What towers know of held-out windows: classes and distances, beside random towers.

No score depends on how many windows of a class there are: class accuracies are means over classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hybrid_depth.foundation import DEPTH_WORDS, CLIPTower, DINOTower, build_clip
from hybrid_depth.foundation.clip import encode_texts, text_tokenizer
from hybrid_depth.foundation.images import to_tensor

from .tower_crops import CLASSES, Windows

#: Column heads by key of a tower's scores.
COLUMNS = dict(
    zero_shot='class, zero-shot',
    neighbour='class, nearest neighbour',
    words="distance words, classes' sentences (rank correlation)",
    stage1_words="distance words, stage 1's sentences",
    r2='log distance, linear probe (R²)',
    median_error='its median error',
)
#: Sentences of a class, with which the towers were trained.
CLASS_SENTENCES: dict[str, Sequence[str]] = dict(
    clip_distance=[f'This {{}} appears to be {word}' for word in DEPTH_WORDS],
    clip_plain=['This is a {}'],
)
_RIDGE = 1e-3  # of the number of training windows, on standardised features
_BATCH = 256


@torch.no_grad()
def check_clip(
    name: str, clip: dict, path: Path | None, known: Windows, held_out: Windows
) -> dict[str, float]:
    """Scores of a CLIP tower by keys of `COLUMNS`.

    Args:
        name: 'clip_distance' or 'clip_plain', for the sentences of a class.
        clip: config of the `CLIPTower`.
        path: weight file, None for random weights of seed 0.
        known: training windows that the neighbours and the probe have.
        held_out: windows that are scored.
    """
    pretrained = None if path is None else str(path)
    torch.manual_seed(0)
    tower = CLIPTower(**{**clip, 'pretrained': pretrained}).eval()
    torch.manual_seed(0)
    model = build_clip('model_cfg', pretrained, clip['model_cfg']).eval()
    tokenize = text_tokenizer('model_cfg', clip['model_cfg'])

    def embedding(images: Tensor) -> Tensor:
        return model.encode_image(tower.normalize(images), normalize=True)

    def texts(template: str, values: Sequence[str]) -> np.ndarray:
        return encode_texts(model, tokenize, [template.format(v) for v in values]).numpy()

    names = [name.replace('_', ' ') for name in CLASSES]
    base, seen = (_features(embedding, windows) for windows in (known, held_out))
    classes = sum(texts(sentence, names) for sentence in CLASS_SENTENCES[name])
    words = np.stack([texts(f'This {n} appears to be {{}}', DEPTH_WORDS) for n in names])
    patch = texts('This patch appears to be {}', DEPTH_WORDS)
    by_class = np.einsum('ne,nwe->nw', seen, words[held_out.label])
    return dict(
        zero_shot=class_accuracy((seen @ _unit(classes).T).argmax(1), held_out.label),
        neighbour=class_accuracy(neighbour_class(base, known.label, seen), held_out.label),
        words=rank_correlation(_mean_word(by_class), held_out.distance),
        stage1_words=rank_correlation(_mean_word(seen @ patch.T), held_out.distance),
        **_probe(lambda images: list(tower(images).values()), known, held_out),
    )


@torch.no_grad()
def check_dino(
    dino: dict, path: Path | None, known: Windows, held_out: Windows
) -> dict[str, float]:
    """Scores of a DINO tower, with its last class token as embedding; see `check_clip`."""
    torch.manual_seed(0)
    tower = DINOTower(**{**dino, 'pretrained': None if path is None else str(path)}).eval()

    def embedding(images: Tensor) -> Tensor:
        return torch.nn.functional.normalize(tower(images)[1][-1], dim=-1)

    base, seen = (_features(embedding, windows) for windows in (known, held_out))
    return dict(
        neighbour=class_accuracy(neighbour_class(base, known.label, seen), held_out.label),
        **_probe(lambda images: tower(images)[0], known, held_out),
    )


def check_box(known: Windows, held_out: Windows) -> dict[str, float]:
    """Scores of a linear probe that is given no image but the class of the object, the rig, and the
    logarithms of its visible width, height and lowest row."""

    def features(windows: Windows) -> np.ndarray:
        left, right, top, bottom = windows.box.T
        rows = bottom + windows.corner[:, 1]
        sizes = np.log(np.stack([right - left + 1, bottom - top + 1, rows + 1], 1))
        rig = (windows.image < len(windows.kitti))[:, None]
        given = np.concatenate([sizes, sizes * rig, rig, np.eye(len(CLASSES))[windows.label]], 1)
        return given.astype(np.float32)

    return linear_probe(features(known), known.distance, features(held_out), held_out.distance)


def _features(function: Callable[[Tensor], Tensor], windows: Windows) -> np.ndarray:
    batches = np.array_split(np.arange(len(windows)), max(1, len(windows) // _BATCH))
    return torch.cat([function(to_tensor(windows.pixels(i))) for i in batches]).numpy()


def _probe(
    maps_of: Callable[[Tensor], list[Tensor]], known: Windows, held_out: Windows
) -> dict[str, float]:
    """Linear probe of the features of the windows' middle, all maps beside each other."""

    def middle(images: Tensor) -> Tensor:
        found = []
        for feature in maps_of(images):
            rows, columns = (n // 4 for n in feature.shape[-2:])
            inner = feature[..., rows : feature.shape[-2] - rows, :]
            inner = inner[..., columns : feature.shape[-1] - columns]
            found.append(inner.mean((-2, -1)))
        return torch.cat(found, 1)

    base, seen = (_features(middle, windows) for windows in (known, held_out))
    return linear_probe(base, known.distance, seen, held_out.distance)


def linear_probe(
    known: np.ndarray, known_distance: np.ndarray, seen: np.ndarray, distance: np.ndarray
) -> dict[str, float]:
    """Ridge regression of the log distance: R² on the seen features, and the median of
    |predicted / true - 1|.

    Args:
        known, known_distance: features (N, C) and distances (N,) of training windows.
        seen, distance: those of held-out windows.
    """
    mean, spread = known.mean(0), known.std(0) + 1e-6
    x, z = ((features - mean).astype(np.float64) / spread for features in (known, seen))
    target = np.log(known_distance)
    gram = x.T @ x + _RIDGE * len(x) * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ (target - target.mean()))
    predicted, true = z @ weights + target.mean(), np.log(distance)
    r2 = 1 - ((predicted - true) ** 2).sum() / ((true - true.mean()) ** 2).sum()
    return dict(r2=float(r2), median_error=float(np.median(np.abs(np.exp(predicted - true) - 1))))


def neighbour_class(known: np.ndarray, labels: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Class (M,) of the known feature with the highest cosine to each of the seen ones (M, C)."""
    return labels[np.concatenate([(part @ known.T).argmax(1) for part in np.array_split(seen, 8)])]


def class_accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the occurring classes of the fraction that is predicted correctly."""
    return float(np.mean([(predicted[labels == k] == k).mean() for k in np.unique(labels)]))


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation."""
    from scipy.stats import spearmanr

    return float(spearmanr(first, second).statistic)


def _mean_word(cosines: np.ndarray) -> np.ndarray:
    """Mean index of the distance words under the softmax at CLIP's usual scale, 100."""
    weights = np.exp(100 * (cosines - cosines.max(1, keepdims=True)))
    return weights @ np.arange(cosines.shape[1]) / weights.sum(1)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def table(rows: dict[str, dict[str, float]]) -> str:
    """Markdown table of the scores by tower; '-' where a tower has none."""
    heads = ['tower', *COLUMNS.values(), 'training min', 'loss']
    lines = [heads, ['---'] * len(heads)]
    for name, scores in rows.items():
        cells = [_cell(scores.get(key), 3) for key in COLUMNS]
        lines.append([name, *cells, _cell(scores.get('minutes'), 0), _cell(scores.get('loss'), 2)])
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def _cell(value: float | None, digits: int) -> str:
    return '-' if value is None else f'{value:.{digits}f}'
