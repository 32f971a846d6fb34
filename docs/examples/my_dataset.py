"""Video of any camera, listed in a JSON file: [{"cam2img": 3x3, "images": [paths]}, ...]."""

import json
from pathlib import Path

import numpy as np
from mmengine.registry import DATASETS

from hybrid_depth.datasets.video.frame_triplets import FrameTripletDataset


@DATASETS.register_module()
class MyVideo(FrameTripletDataset):
    def list_frames(self) -> list[tuple[int, int]]:
        self.clips = json.loads(Path(self.ann_file).read_text())
        return [(c, i) for c, clip in enumerate(self.clips) for i in range(len(clip['images']))]

    def find(self, frame: tuple[int, int], frame_id: int) -> Path | None:
        images, index = self.clips[frame[0]]['images'], frame[1] + frame_id
        return Path(self.data_root, images[index]) if 0 <= index < len(images) else None

    def describe(self, frame: tuple[int, int]) -> dict:
        clip, index = frame
        meta = dict(dataset='my_video', name=f'{clip}_{index}', folder=str(clip), frame=index)
        return dict(cam2img=np.array(self.clips[clip]['cam2img']), meta=meta)
