"""Sessions of the viewer: what to show, and where it goes."""

from __future__ import annotations

import signal
import time
import webbrowser
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from ..config_errors import nearest
from ..config_files import find_config
from ..datasets.nuscenes.names import InfoError
from ..engine.run_records import run_names
from ..errors import ConfigError
from ..files import atomic_file
from ..info_files import read_infos
from .first_view import draw_first_view
from .key_frames import read_key_frames
from .runs import GroundTruth, ResultsFile, Run, protocol_of
from .server import serve_viewer

if TYPE_CHECKING:
    import rerun as rr

_MOST_RUNS = 2
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Source:
    """A run to show: a results file, or a config with its checkpoint."""

    path: Path
    checkpoint: Path | None = None


@dataclass(frozen=True)
class Options:
    """What is shown of a data set and of runs.

    Args:
        infos: info file.
        root: data set.
        runs: at most two.
        classes: classes shown; None for all.
        score_thr: smallest score of predicted boxes.
        limit: number of key frames; None for all.
        device: of models.
    """

    infos: Path
    root: Path
    runs: Sequence[Source] = ()
    classes: Sequence[str] | None = None
    score_thr: float = 0.1
    limit: int | None = None
    device: str = 'cpu'


def parse_sources(names: Sequence[str], infos: str | None) -> tuple[Path, list[Source]]:
    """Info file and runs of the arguments of a command line.

    Args:
        names: an info file; or results files, and configs each followed by its checkpoint.
        infos: info file of the runs; None for that of the test set of the first config.

    Raises:
        ConfigError: more than two runs, or no info file.
        FileNotFoundError: a file does not exist.
    """
    if len(names) == 1 and Path(names[0]).suffix == '.pkl':
        return Path(names[0]), []
    rest, runs = list(names), []
    while rest:
        name = rest.pop(0)
        if name.endswith('.py'):
            if not rest:
                raise ConfigError(f'expected a checkpoint after the config {name}, got none')
            runs.append(Source(find_config(name), Path(rest.pop(0))))
        else:
            runs.append(Source(Path(name)))
    if len(runs) > _MOST_RUNS:
        raise ConfigError(f'expected at most {_MOST_RUNS} runs side by side, got {len(runs)}')
    return Path(infos) if infos else _infos_of(runs[0]), runs


def _infos_of(run: Source) -> Path:
    """Info file of a run: that of the test set of its config."""
    if run.checkpoint is None:
        raise ConfigError(f'expected --infos with the info file of {run.path}, got none')
    from ..engine.config import read_config

    dataset = read_config(run.path).get('test_dataloader', {}).get('dataset', {})
    if 'ann_file' not in dataset:
        raise ConfigError(f'{run.path}: expected the ann_file of a test set, or --infos, got none')
    return Path(dataset.get('data_root', ''), dataset['ann_file'])


def show(options: Options, save: Path | None = None, browser: bool = True) -> None:
    """Show data and runs in a browser until Ctrl-C, or write them to a file.

    Args:
        options: what to show.
        save: `.rrd` file; None for the browser.
        browser: open one; else its address is printed only.

    Raises:
        HybridDepthError, FileNotFoundError: of the files.
        ViewerError: Rerun's server does not start.
    """
    if save is not None:
        with atomic_file(save) as file:
            stream = _recording()
            stream.save(file.name)
            _write(stream, options, _Data(options))
            stream.disconnect()
        print(f'wrote {save}; look at it with: hybrid-depth view {save}')
        return
    first_view: Future[bytes] = Future()
    with _until_ended(), serve_viewer(first_view=first_view) as (page, server):
        _open(page, browser)
        data = _Data(options)
        first_view.set_result(draw_first_view(data.frames[0], data.truth))
        stream = _recording()
        stream.connect_grpc(server)
        try:
            _write(stream, options, data)
            stream.flush()
            _until_interrupted()
        finally:
            stream.disconnect()  # before its server ends


def show_file(path: Path, browser: bool = True) -> None:
    """Show an `.rrd` file in a browser until Ctrl-C.

    Raises:
        FileNotFoundError: no such file.
        ViewerError: Rerun's server does not start.
    """
    if not path.is_file():
        raise FileNotFoundError(f'expected an .rrd file, got {path}, which does not exist')
    with _until_ended(), serve_viewer(path) as (page, _):
        _open(page, browser)
        _until_interrupted()


def _open(page: str, browser: bool) -> None:
    print(f'viewer: {page}  (Ctrl-C ends it)', flush=True)
    if browser:
        webbrowser.open(page)


def _until_interrupted() -> None:
    while True:
        time.sleep(3600)


@contextmanager
def _until_ended() -> Iterator[None]:
    """Context that Ctrl-C, a closed terminal and `kill` end in order, so that no server is left."""

    def end(number: int, _: object) -> None:
        raise KeyboardInterrupt

    old = {number: signal.signal(number, end) for number in _ENDS}
    try:
        yield
    except KeyboardInterrupt:
        print()
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


class _Data:
    """Key frames and ground truth of the info file."""

    def __init__(self, options: Options):
        self.content = read_infos(options.infos)
        frames = read_key_frames(self.content, options.root, options.infos)
        self.frames, self.protocol = frames[: options.limit], protocol_of(self.content)
        self.classes = _known(options.classes, self.protocol.classes)
        self.truth = GroundTruth(self.content, self.frames, self.protocol, options.infos)


def _recording() -> rr.RecordingStream:
    import rerun as rr  # half a second, beside the start of the browser

    from .recording import APPLICATION

    return rr.RecordingStream(APPLICATION)


def _write(stream: rr.RecordingStream, options: Options, data: _Data) -> None:
    """Write all key frames; the first one, with the layout, before any model is loaded."""
    from .layout import make_layout
    from .recording import Recorder, entity_name

    recorder = Recorder(stream, data.truth, data.classes, options.score_thr)
    names = [
        entity_name(name) for name in run_names([r.checkpoint or r.path for r in options.runs])
    ]
    depth = [name for name, run in zip(names, options.runs, strict=True) if run.checkpoint]
    stream.send_blueprint(make_layout(data.frames[0], names, depth))
    recorder.key_frame(0, data.frames[0])
    runs = [_load(run, name, options, data) for run, name in zip(options.runs, names, strict=True)]
    for index, frame in enumerate(tqdm(data.frames, desc='key frames')):
        if index:
            recorder.key_frame(index, frame)
        for run in runs:
            prediction = run(frame)
            if prediction is not None:
                recorder.prediction(index, frame, run.name, prediction)


def _load(source: Source, name: str, options: Options, data: _Data) -> Run:
    if source.checkpoint is None:
        run = ResultsFile(source.path, data.protocol, name)
        run.require(data.frames, options.infos)
        return run
    from .live import LiveRun

    return LiveRun(
        source.path,
        source.checkpoint,
        options.device,
        options.infos,
        options.root,
        data.content,
        data.protocol,
        name,
    )


def _known(classes: Sequence[str] | None, known: Sequence[str]) -> Sequence[str]:
    for name in classes or ():
        if name not in known:
            raise InfoError(
                f'expected classes among {", ".join(known)}, got {name!r}{nearest(name, known)}'
            )
    return known if classes is None else classes
