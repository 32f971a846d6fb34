# Supervised by LiDAR, with an encoder from both stages of Hybrid-depth on toy video.
_base_ = 'lidar.py'

model = dict(
    init_cfg=dict(
        type='EncoderWeights',
        part='img_view_transformer.depth_net',
        checkpoint='work_dirs/monodepth2_hybrid_video_toy/epoch_3.pth',
    )
)
