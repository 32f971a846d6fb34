# FB-BEV overfits one real nuScenes keyframe, as BEVDet does (README.md of this folder).
_base_ = [
    '../bevdet/bevdet_r18_1xb1-300iter_nus-keyframe_256x704.py',
    '../_base_/models/depth_aware_refinement.py',
]

model = dict(refine=_base_.refine)
