"""Files on disk to plain samples; needs no mmdet3d.

Nothing is imported here: tools that only look at files need no torch.
"""
