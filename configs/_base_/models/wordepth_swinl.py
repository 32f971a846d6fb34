# WorDepth (arXiv 2404.03635) with Swin-L on KITTI's benchmark crop (docs/reference/wordepth.md,
# "WorDepth"): share of the text branch and skips as in the released configs and the paper.
model = dict(
    type='WorDepth',
    encoder=dict(
        type='TimmDepthEncoder',
        name='swin_large_patch4_window12_384.ms_in22k',
        pretrained='hub',
        img_size=(352, 1216),
    ),
    decoder=dict(type='LatentDepthDecoder', log_depth=2.54),
    text_width=1024,
    text_probability=0.5,
    skips='image',
)
# the text branch trains other parameters than the image branch
find_unused_parameters = True
