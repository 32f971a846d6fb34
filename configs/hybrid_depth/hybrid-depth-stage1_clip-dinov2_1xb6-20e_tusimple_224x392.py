# Hybrid-depth's stage 1 (arXiv 2510.09320) on TuSimple's lanes; near patches match near words. The
# release matches them in reverse: LanePatches(direction='released')
# (docs/reference/hybrid_depth.md, "Patches of a lane").
_base_ = [
    '../_base_/models/language_alignment.py',
    '../_base_/datasets/tusimple_lanes.py',
    '../_base_/schedules/hybrid_stage1_20e.py',
    '../_base_/depth_runtime.py',
]
