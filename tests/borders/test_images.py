"""Odd, cut and mixed images, videos and folders of frames."""

import cv2
import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.image_files import image_size, open_image
from hybrid_depth.datasets.video.clips import frame_numbers
from hybrid_depth.datasets.video.intrinsics import read_intrinsics
from hybrid_depth.datasets.video.video_folder import VideoFolderDataset
from hybrid_depth.depth.transforms.load import LoadFrames
from hybrid_depth.errors import DepthDataError
from hybrid_depth.inference.depth import stream_depth
from hybrid_depth.inference.depth_writer import DepthWriter
from hybrid_depth.inference.image_streams import ImageStream
from tests.borders.refusal import refused
from tests.inference.test_image_streams import save, write_video

RAMP = np.arange(96, dtype=np.uint8).reshape(8, 12) * 2
RGB = np.stack([RAMP, RAMP[::-1], 255 - RAMP], -1)

# ----------------------------------------------------------------------------- kinds of images


@pytest.mark.parametrize('suffix', ['png', 'tif', 'tiff'])
def test_16_bit_grey_is_not_white(tmp_path, suffix):
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / f'a.{suffix}')
    found = np.asarray(open_image(tmp_path / f'a.{suffix}'))
    np.testing.assert_array_equal(found, np.stack([RAMP] * 3, -1))


def test_big_endian_and_32_bit_grey(tmp_path):
    values = RAMP.astype(np.uint16) * 257
    big = Image.frombytes('I;16B', (12, 8), values.astype('>u2').tobytes())
    big.save(tmp_path / 'big.tif')
    Image.fromarray(values.astype(np.int32)).save(tmp_path / 'int.tif')
    for name in ('big.tif', 'int.tif'):
        assert (np.asarray(open_image(tmp_path / name))[..., 1] == RAMP).all()


@pytest.mark.parametrize('suffix', ['tif', 'tiff', 'TIF', 'bmp', 'webp', 'BMP', 'WebP', 'JPEG'])
def test_kinds_of_files(tmp_path, suffix):
    path = tmp_path / f'a.{suffix}'
    Image.fromarray(RGB).save(path, **(dict(lossless=True) if suffix.lower() == 'webp' else {}))
    for source in (path, tmp_path):
        (item,) = ImageStream(source)
        close = np.abs(np.asarray(item.image).astype(int) - RGB)
        assert close.max() <= (0 if suffix != 'JPEG' else 80)


@pytest.mark.parametrize('mode', ['1', 'L', 'P', 'LA', 'RGBA', 'CMYK', 'PA'])
def test_modes_are_rgb(tmp_path, mode):
    path = tmp_path / ('a.tif' if mode in ('CMYK', 'PA') else 'a.png')
    if mode == 'PA':
        mode, path = 'RGBA', tmp_path / 'a.webp'
    Image.fromarray(RGB).convert(mode).save(path)
    assert open_image(path).mode == 'RGB' and image_size(path) == (12, 8)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('suffix', ['png', 'jpg'])
def test_exif_orientation(tmp_path, orientation, suffix):
    """Turned as OpenCV does."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.new('RGB', (48, 32))
    image.paste((250, 0, 0), (0, 0, 16, 16))
    path = tmp_path / f'a.{suffix}'
    image.save(path, exif=exif)
    found = open_image(path)
    assert found.size == image_size(path) == ((32, 48) if orientation > 4 else (48, 32))
    if suffix == 'jpg':
        expected = cv2.imread(str(path))[..., ::-1]
        assert np.abs(np.asarray(found).astype(int) - expected).mean() < 3


def test_images_that_are_refused(tmp_path):
    Image.fromarray(RAMP.astype(np.float32) / 7).save(tmp_path / 'float.tif')
    Image.fromarray(RAMP.astype(np.int32) * 70000).save(tmp_path / 'large.tif')
    Image.fromarray(RAMP.astype(np.int32) - 5).save(tmp_path / 'negative.tif')
    frames = [Image.fromarray(RGB), Image.fromarray(RGB[::-1].copy())]
    for name in ('pages.tif', 'moving.webp', 'moving.png'):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    for name in ('pages.tif', 'moving.webp', 'moving.png'):
        with refused(name, 'got 2 in one file'):
            open_image(tmp_path / name)
    for name in ('float.tif', 'large.tif', 'negative.tif'):
        with refused(name, '8 or 16 bit'):
            open_image(tmp_path / name)
    for name in ('a.webp', 'a.tif', 'a.bmp'):
        (tmp_path / name).write_bytes(b'no image')
        with refused(name, 'damaged'):
            open_image(tmp_path / name)


# -------------------------------------------------------------------------------------- videos


@pytest.mark.parametrize('share', [0.3, 0.6, 0.9])
def test_a_video_cut_short(tmp_path, share):
    whole = write_video(tmp_path / 'whole.avi', frames=60).read_bytes()
    (tmp_path / 'cut.avi').write_bytes(whole[: int(share * len(whole))])
    with refused('cut.avi'):
        list(ImageStream(tmp_path / 'cut.avi'))


def test_a_video_with_zeros_in_the_middle(tmp_path):
    content = bytearray(write_video(tmp_path / 'a.avi', frames=60).read_bytes())
    middle = len(content) // 3
    content[middle : middle + len(content) // 3] = bytes(len(content) // 3)
    (tmp_path / 'a.avi').write_bytes(content)
    with refused('a.avi'):
        list(ImageStream(tmp_path / 'a.avi'))


def test_whole_videos_pass(tmp_path):
    assert len(list(ImageStream(write_video(tmp_path / 'a.avi', frames=30)))) == 30


# ------------------------------------------------------------------------------- names and sizes


@pytest.mark.parametrize(
    'files',
    [
        ('a.png', 'a.jpg'),
        ('a.png', 'a.jpg', 'a.bmp', 'a.webp'),
        ('l/a.png', 'r/a.png', 'a_2.png'),
        ('a_2.png', 'l/a.png', 'r/a.png', 'a_3.png'),
    ],
)
def test_no_result_overwrites_another(tmp_path, files):
    names = [item.name for item in ImageStream([save(tmp_path / file) for file in files])]
    assert len({*names}) == len(files)


def test_a_second_result_of_a_name_is_refused(tmp_path, depth_result):
    writer = DepthWriter(tmp_path, numbers='none', colors=False)
    writer.write(depth_result('a'))
    with refused('different names'):
        writer.write(depth_result('a'))


@pytest.fixture
def depth_result():
    from hybrid_depth.inference.depth import DepthResult

    def make(name, size=(8, 12)):
        image = np.zeros((*size, 3), np.uint8)
        return DepthResult(name, image, np.ones(size, np.float32))

    return make


class NoModel:
    """Stands for a model of one frame that must not be reached."""

    frames, needs_cameras, image_size = (0,), False, (32, 64)

    def parameters(self):
        import torch

        return iter([torch.zeros(1)])

    def predict(self, inputs, cameras, memory):
        from hybrid_depth.geometry import DepthMap

        return DepthMap(inputs[0][:, :1] * 0 + 1, 'disparity')


K = np.array([[12.0, 0, 6], [0, 12, 4], [0, 0, 1]])


@pytest.mark.parametrize('other', [(24, 16), (8, 12), (13, 8)])
def test_one_camera_for_images_of_all_sizes(tmp_path, other):
    paths = [save(tmp_path / 'a.png'), save(tmp_path / 'b.png', size=other)]
    with refused('b', 'intrinsics'):
        list(stream_depth(NoModel(), paths, cam2img=K))
    assert len(list(stream_depth(NoModel(), paths))) == 2


@pytest.mark.parametrize('numbers', [(0, 0, 0, 0), (np.nan, 1, 1, 1), (120, 120, 60, 40)])
def test_cameras_of_no_such_image(tmp_path, numbers):
    fx, fy, cx, cy = numbers
    with refused('intrinsics'):
        matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
        list(stream_depth(NoModel(), save(tmp_path / 'a.png'), cam2img=matrix))


# ------------------------------------------------------------------------------- folders of frames

CAMERA = '12 12 6 4'


def folder(root, *names, size=(12, 8), camera=CAMERA):
    for number, name in enumerate(names):
        save(root / name, number, size)
    if camera:
        (root / 'intrinsics.txt').write_text(camera)
    return root


def triplets(root, **kwargs):
    dataset = VideoFolderDataset(data_root=str(root), pipeline=[LoadFrames()], **kwargs)
    return [
        tuple(dataset.get_data_info(i)['img_paths'][k].split('/')[-1] for k in (-1, 0, 1))
        for i in range(len(dataset))
    ]


def test_a_copy_is_no_neighbour(tmp_path):
    names = [f'{i}.{suffix}' for i in range(4) for suffix in ('png', 'jpg')]
    assert triplets(folder(tmp_path, *names)) == [
        ('0.png', '1.png', '2.png'),
        ('1.png', '2.png', '3.png'),
    ]


@pytest.mark.parametrize(
    'hidden',
    ['.thumbnails', 'depth', 'semantic', 'instance', 'moving', 'Masks', 'clip/depth', '.git/x'],
)
def test_folders_that_are_no_video(tmp_path, hidden):
    folder(tmp_path, *(f'clip/{i}.png' for i in range(3)))
    folder(tmp_path, *(f'{hidden}/{i}.png' for i in range(3)))
    assert triplets(tmp_path) == [('0.png', '1.png', '2.png')]


def test_folders_of_16_bit_depth_are_no_video(tmp_path):
    folder(tmp_path, *(f'clip/{i}.png' for i in range(3)))
    (tmp_path / 'proj').mkdir()
    for i in range(3):
        Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / f'proj/{i}.png')
    assert triplets(tmp_path) == [('0.png', '1.png', '2.png')]


@pytest.mark.parametrize(
    ('names', 'targets'),
    [
        (['000', '001', '002', '004', '005', '006'], ['001', '005']),
        (['f10', 'f20', 'f30', 'f50', 'f60', 'f70', 'f80'], ['f20', 'f60', 'f70']),
        (['a_1', 'a_2', 'a_3', 'b_1', 'b_2', 'b_3'], ['a_2', 'b_2']),
        (['1403636579763', '1403636579813', '1403636579861', '1403636579913'], None),
        (['first', 'second', 'third'], ['second']),
        (['cam1_a', 'cam1_b', 'cam1_c'], ['cam1_b']),
    ],
)
def test_dropped_frames_are_no_neighbours(tmp_path, names, targets):
    found = [target for _, target, _ in triplets(folder(tmp_path, *(f'{n}.png' for n in names)))]
    assert found == [f'{name}.png' for name in targets or names[1:-1]]


def test_numbers_of_frames():
    assert frame_numbers([]) is None


@pytest.mark.parametrize(
    ('text', 'word'),
    [
        ('721.5 721.5 609.6 172.9 -0.37 0.2 0.001 -0.0002 -0.07', 'Distortion'),
        ('721.5 721.5 609.6 172.9 0 0 0 0 0', 'Distortion'),
        ('721.5 721.5 609.6 172.9 -0.37 0.2', 'got 6'),
        ('12 12 6', 'got 3'),
        ('', 'got 0'),
        ('nan 12 6 4', 'finite'),
        ('0 0 0 0', 'positive'),
        ('12 12 6 inf', 'finite'),
        ('fx=12', 'text'),
        ('12 0 0 0 12 0 6 4 1', 'expected intrinsics'),
        ('\ufeff12 x', 'text'),
        ('³ 12 6 4', 'text'),
    ],
)
def test_files_of_intrinsics(tmp_path, text, word):
    (tmp_path / 'intrinsics.txt').write_text(text)
    with refused('intrinsics.txt', word):
        read_intrinsics(tmp_path / 'intrinsics.txt')


def test_intrinsics_in_other_encodings(tmp_path):
    path = tmp_path / 'intrinsics.txt'
    path.write_text('\ufeff12, 12, 6, 4\r\n')  # of Windows
    assert read_intrinsics(path)[0].tolist() == [12, 0, 6]
    path.write_bytes('12 12 6 4'.encode('utf-16'))
    with refused('intrinsics.txt'):
        read_intrinsics(path)


def test_one_file_of_intrinsics_for_two_sizes(tmp_path):
    folder(tmp_path, *(f'a/{i}.png' for i in range(3)))
    folder(tmp_path, *(f'b/{i}.png' for i in range(3)), size=(14, 8))
    with refused('intrinsics.txt', '12x8', '14x8'):
        triplets(tmp_path)
    (tmp_path / 'b/intrinsics.txt').write_text('14 14 7 4')
    assert len(triplets(tmp_path)) == 2


def test_frames_of_another_size_in_one_clip(tmp_path):
    folder(tmp_path, '0.png', '1.png', '2.png')
    folder(tmp_path, '4.png', '5.png', '6.png', size=(14, 8))
    dataset = VideoFolderDataset(data_root=str(tmp_path), pipeline=[LoadFrames()])
    with pytest.raises(DepthDataError, match='5.png: expected 12x8'):
        dataset[1]


def test_names_of_clips_that_collide(tmp_path):
    folder(tmp_path, *(f'a/b/{i}.png' for i in range(3)), *(f'a_b/{i}.png' for i in range(3)))
    with refused('a_b_1', 'a/b/1.png', 'a_b/1.png'):
        triplets(tmp_path)
