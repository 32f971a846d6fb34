# Both towers, no sentences.
_base_ = 'claim_both.py'

model = dict(encoder=dict(text=None, trainable=('clip.visual', 'dino', 'align')))
