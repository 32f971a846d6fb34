# DINO alone.
_base_ = 'claim_notext.py'

model = dict(encoder=dict(clip=None, trainable=('dino',)))
