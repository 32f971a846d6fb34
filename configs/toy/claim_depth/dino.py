# DINO alone.
_base_ = 'both_notext.py'

model = dict(encoder=dict(clip=None, trainable=('dino',)))
