# Vision-Language Embodiment (arXiv 2503.16535) on the paper's four views of DDAD. Its input size is
# not known.
_base_ = [
    '../_base_/models/embodiment_swinl.py',
    '../_base_/datasets/ddad_embodied.py',
    '../_base_/schedules/wordepth_50e.py',
    '../_base_/depth_runtime.py',
]

model = dict(encoder=dict(img_size=(384, 640)), max_depth=200.0)
