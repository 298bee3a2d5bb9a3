"""The model is the report's: rotary frequencies in FP32 whatever the precision, epsilon, initialisation and scaling."""

import math
from dataclasses import replace

import pytest
import torch

from specialize.attention import RMSNorm
from specialize.config import Architecture, Precision
from specialize.model import build_model
from tests.specialize.conftest import MODEL


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16])
def test_rotary_frequencies_are_fp32(process, precision):
    """Report 2.3: FP32 for the inverse frequency matrix; in BF16 position 8,191 would be off by many radians."""
    shape = replace(MODEL, rotary_base=10_000.0)
    model = build_model(shape, precision=precision).bfloat16()
    frequencies = model.rotary_pos_emb.inv_freq
    assert frequencies.dtype is torch.float32
    wanted = 1.0 / 10_000.0 ** (torch.arange(0, 8, 2).double() / 8)
    torch.testing.assert_close(frequencies.double(), wanted, rtol=1e-6, atol=0)
    assert not wanted.bfloat16().double().equal(frequencies.double())
    angles = model.rotary_pos_emb(8192)
    assert angles.dtype is torch.float32
    torch.testing.assert_close(angles[8191, 0, 0, 1].double(), 8191 * wanted[1], rtol=1e-6, atol=0)


@pytest.mark.parametrize("architecture", [Architecture.QWEN2, Architecture.QWEN3])
def test_every_norm_has_the_epsilon_of_the_config(process, architecture):
    biased = architecture is Architecture.QWEN2
    shape = replace(MODEL, norm_epsilon=3e-4, architecture=architecture, qkv_bias=biased)
    norms = [module for module in build_model(shape).modules() if isinstance(module, RMSNorm)]
    assert len(norms) == (5 if biased else 9)
    assert {norm.eps for norm in norms} == {3e-4}
    x = torch.full((1, 32), 1e-2)
    torch.testing.assert_close(norms[0](x), x / math.sqrt(1e-4 + 3e-4))


def test_initialisation_is_the_reports(process):
    """0.02, projections into the residual stream 0.02 / sqrt(2 layers), biases 0, norms 1; all FP32 and seeded."""
    from specialize.device import seed_everything

    seed_everything(5)
    shape = replace(
        MODEL, num_layers=4, hidden_size=128, ffn_hidden_size=256, head_dim=32, vocab_size=512, tie_embeddings=False
    )
    for name, value in build_model(shape).named_parameters():
        if "norm" in name:
            assert value.eq(1).all(), name
        elif name.endswith("bias"):
            assert value.eq(0).all(), name
        else:
            residual = name.endswith(("linear_proj.weight", "linear_fc2.weight"))
            wanted = 0.02 / math.sqrt(2 * 4) if residual else 0.02
            assert value.std().item() == pytest.approx(wanted, rel=0.03), name
            assert abs(value.mean().item()) < 0.05 * wanted, name


def test_attention_is_scaled_by_the_head(process):
    model = build_model(replace(MODEL, head_dim=16))
    assert {layer.self_attention.core_attention.scale for layer in model.decoder.layers} == {1 / 4}
