import numpy as np

from hybrid_depth.visualization.strokes import Text, clip_to_image, dash, without_overlap


def test_clip_cuts_at_the_border_and_drops_what_is_outside():
    segments = np.array(
        [
            [[-10.0, 5.0], [30.0, 5.0]],  # across
            [[2.0, 2.0], [4.0, 6.0]],  # inside
            [[-5.0, -5.0], [-1.0, 8.0]],  # outside
            [[3.0, 20.0], [5.0, 20.0]],  # level, below the image
            [[-4.0, 4.0], [4.0, -4.0]],  # touches the corner from outside
        ]
    )
    clipped, kept = clip_to_image(segments, (10, 20))
    assert kept.tolist() == [0, 1]
    np.testing.assert_allclose(clipped[0], [[0, 5], [19, 5]])
    np.testing.assert_allclose(clipped[1], segments[1])


def test_dashes_have_their_length_and_gap():
    dashes = dash(np.array([[[0.0, 0.0], [20.0, 0.0]], [[0.0, 3.0], [0.0, 5.0]]]), 6, 3)
    np.testing.assert_allclose(
        dashes,
        [
            [[0, 0], [6, 0]],
            [[9, 0], [15, 0]],
            [[18, 0], [20, 0]],
            [[0, 3], [0, 5]],
        ],
    )
    assert dash(np.empty((0, 2, 2)), 6, 3).shape == (0, 2, 2)


def test_texts_do_not_overlap():
    texts = [
        Text(5, 20, 'first'),
        Text(8, 22, 'second'),
        Text(5, 60, 'third'),
        Text(190, 60, 'out'),
    ]
    assert [t.text for t in without_overlap(texts, (80, 200))] == ['first', 'third']
