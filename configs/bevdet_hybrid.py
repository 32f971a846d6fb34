# BEVDet-R50 with the hybrid (CLIP + DINO + language) depth net. A new model, so: RGB input, bin
# centres, cell centres, floored voxel indices, ego frame of LiDAR time. Full-size towers; their
# weights: configs/hybrid_depth/README.md
_base_ = 'bevdet/bevdet_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py'

model = dict(
    img_backbone=dict(channel_order='rgb'),
    img_view_transformer=dict(
        grid=dict(rounding='floor'),
        depth_bins=dict(anchor='centre'),
        frustum_align='centres',
        depth_net=dict(
            type='EncoderDepthNet',
            encoder=dict(
                type='PriorEncoder',
                encoder=dict(
                    type='HybridDepthEncoder',
                    clip=dict(name='RN50-quickgelu', pretrained='openai'),
                    dino=dict(name='vit_base_patch14_dinov2.lvd142m', pretrained='hub', stride=16),
                    text=dict(num_tokens=256),
                    trainable=('align', 'language.prompts'),
                ),
                prior=dict(type='GroundPlanePrior'),
            ),
        ),
    ),
)

frames = dict(ego_frame=None, box_frame=None)
train_dataloader = dict(dataset=dict(dataset=frames))
val_dataloader = dict(dataset=frames)
test_dataloader = val_dataloader
