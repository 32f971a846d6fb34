"""Web page for depth of images and videos, for this machine alone.

Gradio makes the page. What its own `launch` would do besides (usage data, checks for new versions,
public links, fonts and scripts of other servers) does not happen: the page is served from here, on
127.0.0.1, with a content security policy that allows nothing else. Uploads go to a temporary
folder, the only one that can be read through the page, which is removed at the end.

Annotations are evaluated here, as gradio reads those of its callbacks.
"""

import os
import socket
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np

from ..errors import HybridDepthError
from .depth_models import DepthModels, depth_range, write_cloud

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..inference.depth import DepthResult

HOST = '127.0.0.1'
_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
)
_SETTINGS = dict(GRADIO_ANALYTICS_ENABLED='False', HF_HUB_DISABLE_TELEMETRY='1', HF_HUB_OFFLINE='1')
_KEPT_SECONDS = 3600  # of files of a session


@contextmanager
def private_folder() -> Iterator[Path]:
    """Temporary folder for uploads and results, and no usage data, until the block ends.

    Gradio reads both from the environment: the block has to be entered before gradio is imported.
    """
    with tempfile.TemporaryDirectory(prefix='hybrid-depth-app-') as folder:
        with patch.dict(os.environ, _SETTINGS, GRADIO_TEMP_DIR=folder):
            yield Path(folder)


def make_app(models: DepthModels, folder: Path, max_mib: int, max_frames: int) -> 'FastAPI':
    """Application with the page.

    Args:
        models: to choose from.
        folder: from `private_folder`.
        max_mib: largest upload, MiB.
        max_frames: largest number of frames of a video that are predicted.
    """
    import gradio as gr
    from fastapi import FastAPI, Request
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = FastAPI(openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, 'localhost'])

    @app.middleware('http')
    async def _restrict(request: Request, call_next):
        response = await call_next(request)
        response.headers['Content-Security-Policy'] = _POLICY
        return response

    fonts = dict(font=['system-ui', 'sans-serif'], font_mono=['monospace'])  # not those of Google
    return gr.mount_gradio_app(
        app,
        _page(models, folder, max_frames),
        path='/',
        server_name=HOST,
        max_file_size=f'{max_mib}mb',
        footer_links=[],
        ssr_mode=False,
        enable_monitoring=False,
        theme=gr.themes.Default(**fonts),
    )


def _page(models: DepthModels, folder: Path, max_frames: int) -> object:
    import gradio as gr

    def new_file(suffix: str) -> Path:
        return Path(tempfile.mkdtemp(dir=folder), f'depth{suffix}')

    def image_depth(name: str, image: str | None, scale: float, view: float) -> tuple:
        with _shown():
            result = models.predict(name, _required(image, 'image'), scale or None)
        cloud = new_file('.glb')
        write_cloud(result, view, cloud)
        return _colors(result), result.depth, str(cloud), _summary(result)

    def at_pixel(depth: np.ndarray | None, event: gr.SelectData) -> str:
        if depth is None:
            return ''
        u, v = event.index
        v, u = min(v, depth.shape[0] - 1), min(u, depth.shape[1] - 1)
        return f'pixel ({u}, {v}): {depth[v, u]:.2f}'

    bar = gr.Progress()

    def video_depth(name: str, video: str | None, scale: float, progress=bar) -> str:
        out = new_file('.webm')
        with _shown():
            path = _required(video, 'video')
            for share in models.video(name, path, out, scale or None, max_frames):
                progress(share)
        return str(out)

    with gr.Blocks(
        title='Hybrid-Depth', analytics_enabled=False, delete_cache=(_KEPT_SECONDS, _KEPT_SECONDS)
    ) as page:
        gr.Markdown('# Depth of images and videos')
        with gr.Row():
            model = gr.Dropdown(models.names, value=models.names[0], label='model')
            scale = gr.Number(0, label='metres per unit of relative depth (0: unknown)', minimum=0)
            view = gr.Slider(20, 140, 60, step=1, label='horizontal field of view, degrees')
        with gr.Tab('image'):
            with gr.Row():
                image = gr.Image(type='filepath', sources=['upload'], label='image', buttons=[])
                depth = gr.Image(label='depth (click for its value)', interactive=False, buttons=[])
            summary = gr.Textbox(label='depth', interactive=False, elem_id='summary')
            run = gr.Button('predict', variant='primary', elem_id='predict-image')
            cloud = gr.Model3D(label='point cloud', display_mode='point_cloud', buttons=[])
            values = gr.State()
        with gr.Tab('video'):
            video = gr.Video(sources=['upload'], label=f'video, the first {max_frames} frames')
            start = gr.Button('predict', variant='primary', elem_id='predict-video')
            shown = gr.Video(label='depth', interactive=False, buttons=[])
        run.click(image_depth, [model, image, scale, view], [depth, values, cloud, summary])
        depth.select(at_pixel, [values], summary)
        start.click(video_depth, [model, video, scale], shown)
    page.queue(default_concurrency_limit=1, max_size=8)
    return page


@contextmanager
def _shown() -> Iterator[None]:
    """Context whose user errors appear on the page."""
    import gradio as gr

    try:
        yield
    except (HybridDepthError, FileNotFoundError, ValueError) as error:
        raise gr.Error(str(error), duration=None) from error


def _required(path: str | None, kind: str) -> Path:
    if path is None:
        raise FileNotFoundError(f'expected an uploaded {kind}, got none')
    return Path(path)


def _colors(result: 'DepthResult') -> np.ndarray:
    from ..visualization import colorize_depth

    return colorize_depth(result.depth, *depth_range(result.depth))


def _summary(result: 'DepthResult') -> str:
    unit = 'metres' if result.kind == 'metric' else 'unit unknown'
    near, far = depth_range(result.depth)
    return f'{near:.3g} to {far:.3g} ({unit}); nearest {result.depth.min():.3g}'


def serve(
    models: DepthModels,
    port: int = 0,
    max_mib: int = 100,
    max_frames: int = 300,
    browser: bool = True,
) -> None:
    """Serve the page on this machine until Ctrl-C.

    Args:
        models: to choose from.
        port: 0 for a free one.
        max_mib, max_frames: limits, see `make_app`.
        browser: open one; else its address is printed only.
    """
    import uvicorn

    with private_folder() as folder, socket.create_server((HOST, port)) as listener:
        app = make_app(models, folder, max_mib, max_frames)
        address = f'http://{HOST}:{listener.getsockname()[1]}/'
        print(f'app: {address}  (Ctrl-C ends it)', flush=True)
        if browser:
            webbrowser.open(address)
        server = uvicorn.Server(uvicorn.Config(app, log_level='warning'))
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            print()
