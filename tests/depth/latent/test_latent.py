"""The parts against computations by hand."""

import math

import pytest
import torch
from torch.nn import functional as F

from hybrid_depth.depth.latent import (
    ConditionalSampler,
    ExchangedAttention,
    LatentDepthDecoder,
    MetricHead,
    TextVAE,
    embodied_image,
)


def linear(layer, x):
    return x @ layer.weight.T + layer.bias


def test_text_vae_is_two_mlps():
    vae, text = TextVAE(12, hidden=(8, 6), latent=4), torch.randn(3, 12)
    mean, std = vae(text)
    for found, mlp in ((mean, vae.mean), (2 * std.log(), vae.log_variance)):
        first, second, last = (mlp[i] for i in (0, 2, 4))
        hidden = F.leaky_relu(linear(second, F.leaky_relu(linear(first, text))))
        assert torch.allclose(found, linear(last, hidden), atol=1e-5)


def test_text_vae_has_the_published_widths():
    shapes = [tuple(p.shape) for p in TextVAE().mean.parameters()]
    assert shapes == [(512, 1024), (512,), (256, 512), (256,), (128, 256), (128,)]


@pytest.mark.parametrize('text', [torch.randn(2, 8), torch.randn(2, 1, 12), torch.randn(12)])
def test_text_of_another_width_is_refused(text):
    with pytest.raises(ValueError, match=r'\(B, 12\), got'):
        TextVAE(12)(text)


def test_the_sampler_joins_every_cell_with_the_distribution():
    sampler = ConditionalSampler(5, latent=3)
    features, mean, std = torch.randn(2, 5, 4, 6), torch.randn(2, 3), torch.rand(2, 3)
    cell = torch.cat([features[1, :, 2, 3], mean[1], std[1]])
    mixed = sampler.mix(torch.cat([features, mean[..., None, None].expand(2, 3, 4, 6),
                                   std[..., None, None].expand(2, 3, 4, 6)], 1))  # fmt: skip
    by_hand = sampler.mix.weight[:, :, 0, 0] @ cell + sampler.mix.bias
    assert torch.allclose(mixed[1, :, 2, 3], by_hand, atol=1e-6)
    found = sampler(features, mean, std)
    window = mixed[1, :, 1:4, 2:5]  # the 3x3 window of that cell
    expected = (sampler.post.weight * window).sum((1, 2, 3)) + sampler.post.bias
    assert torch.allclose(found[1, :, 2, 3], expected, atol=1e-5)


def test_metric_head_scales_and_shifts():
    head, depth, coarsest = MetricHead(8), torch.rand(2, 1, 4, 5) + 1, torch.randn(2, 8, 2, 3)
    found = head(depth, coarsest)
    strongest = coarsest.flatten(2).max(-1).values
    hidden = F.leaky_relu(linear(head.layers[0], strongest))
    scale, offset = linear(head.layers[2], hidden).unbind(1)
    for i in range(2):
        expected = torch.sigmoid(scale[i]) * (depth[i] + torch.exp(offset[i]))
        assert torch.allclose(found[i], expected, rtol=1e-5)


def test_the_decoder_starts_at_its_log_depth_and_sums_the_levels():
    decoder = LatentDepthDecoder([6, 8, 10, 12], widths=(7, 6, 5), latent=4, log_depth=2.0)
    maps = [torch.randn(1, c, 32 >> i, 48 >> i) for i, c in enumerate((6, 8, 10, 12))]
    trunk, latent = decoder.trunk(maps), torch.randn(1, 4, 8, 12)
    assert trunk.shape == (1, 7, 8, 12)
    streams = []
    for refine in decoder.refines:
        refine.register_forward_hook(lambda module, args, out: streams.append(out[1]))
    depth = decoder(latent, trunk, maps[:2], (64, 96))
    assert [tuple(s.shape[-2:]) for s in streams] == [(8, 12), (16, 24), (32, 48)]
    total = sum(F.interpolate(s, (64, 96), mode='bilinear', align_corners=True) for s in streams)
    assert torch.allclose(depth, torch.exp(decoder.out(total) + 2.0), rtol=1e-4)
    torch.nn.init.zeros_(decoder.out.weight), torch.nn.init.zeros_(decoder.out.bias)
    depth = decoder(latent, trunk, maps[:2], (64, 96))
    assert torch.allclose(depth, torch.full_like(depth, math.exp(2.0)))


def test_the_coarsest_maps_are_used_and_too_few_are_refused():
    assert LatentDepthDecoder([64, 64, 128], widths=(8,)).channels == [64, 128]
    with pytest.raises(ValueError, match='at least 4 maps .* got 3'):
        LatentDepthDecoder([64, 64, 128])


def attention(query, key, value):
    return torch.softmax(query @ key.T / math.sqrt(query.shape[1]), dim=1) @ value


def test_queries_are_exchanged():
    """F_d = softmax(Q_r K_d^T / sqrt(d)) V_d, F_r = softmax(Q_d K_r^T / sqrt(d)) V_r."""
    module, d = ExchangedAttention(6, 5, width=4), 4
    image, prior = torch.randn(1, 6, 2, 3), torch.randn(1, 5, 2, 3)
    found = module(image, prior)

    def projected(convolution, x):
        tokens = x[0].flatten(1).T  # (cells, channels)
        all_three = tokens @ convolution.weight[:, :, 0, 0].T + convolution.bias
        return all_three[:, :d], all_three[:, d : 2 * d], all_three[:, 2 * d :]

    q_r, k_r, v_r = projected(module.image, image)
    q_d, k_d, v_d = projected(module.prior, prior)
    joined = torch.cat([attention(q_r, k_d, v_d), attention(q_d, k_r, v_r)], dim=1)
    added = joined @ module.out.weight[:, :, 0, 0].T + module.out.bias
    assert torch.allclose(found, image + added.T.view(1, 6, 2, 3), atol=1e-5)


def test_maps_of_two_grids_are_refused():
    with pytest.raises(ValueError, match=r'one grid, got \(2, 3\) and \(4, 6\)'):
        ExchangedAttention(6, 5)(torch.randn(1, 6, 2, 3), torch.randn(1, 5, 4, 6))


def test_embodied_image():
    depth = torch.tensor([0.0, 0.5, 1.0, 8.0, 64.0, 200.0]).view(1, 1, 1, 6)
    log_depth, inverse, valid = embodied_image(depth, 1.0, 64.0)[0, :, 0]
    assert log_depth.tolist() == pytest.approx([0, 0, 0, 0.5, 1, 1])
    assert inverse.tolist() == pytest.approx([0, 1, 1, 1 / 8, 1 / 64, 1 / 64])
    assert valid.tolist() == [0, 1, 1, 1, 1, 1]
    with pytest.raises(ValueError, match=r'\(B, 1, H, W\), got \(2, 3\)'):
        embodied_image(torch.ones(2, 3))
