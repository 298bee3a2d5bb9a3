"""Attention by blocks, isolation of packed documents, and the loss, against plain torch."""

import itertools

import pytest
import torch
from torch.nn import functional

from specialize.attention import BLOCK_ROWS, block_attention
from specialize.cross_entropy import token_losses
from specialize.model import build_model
from tests.specialize.conftest import MODEL


def random(*shape, seed=0):
    """A random leaf."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), requires_grad=True)


@pytest.mark.parametrize("length", [1, 37, BLOCK_ROWS, BLOCK_ROWS + 5, 3 * BLOCK_ROWS])
def test_blocks_equal_torchs_attention(length):
    q, k, v = random(2, 4, length, 8), random(2, 2, length, 8, seed=1), random(2, 2, length, 8, seed=2)
    blocks = block_attention(q, k, v, scale=0.3)
    torchs = functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3, enable_gqa=True)
    torch.testing.assert_close(blocks, torchs, atol=3e-6, rtol=1e-5)
    weights = random(*blocks.shape, seed=3)
    mine = torch.autograd.grad((blocks * weights).sum(), (q, k, v))
    theirs = torch.autograd.grad((torchs * weights).sum(), (q, k, v))
    torch.testing.assert_close(mine, theirs, atol=2e-5, rtol=1e-4)


def test_gradients_under_dropout_are_those_of_the_forward_pass():
    q, k, v = (random(1, 2, 9, 4, seed=seed).double().detach().requires_grad_() for seed in range(3))

    def forward(*inputs):
        torch.manual_seed(11)
        return block_attention(*inputs, scale=0.5, dropout=0.4)

    value = forward(q, k, v)
    weights = random(*value.shape, seed=5).double()
    grads = torch.autograd.grad((value * weights).sum(), (q, k, v))
    for index, (tensor, grad) in enumerate(zip((q, k, v), grads, strict=True)):
        nudge = torch.zeros_like(tensor)
        nudge[0, 1, 4, 2] = 1e-4
        inputs = [q, k, v]
        above, below = ([*inputs[:index], tensor + sign * nudge, *inputs[index + 1 :]] for sign in (1, -1))
        slope = ((forward(*above) - forward(*below)) * weights).sum() / 2e-4
        assert grad[0, 1, 4, 2].item() == pytest.approx(slope.item(), rel=1e-2, abs=1e-3)


def test_a_packed_sample_equals_its_documents_alone(process):
    from megatron.core.packed_seq_params import PackedSeqParams

    model = build_model(MODEL).eval()
    edges = [0, 10, 37, 64]
    tokens = torch.randint(0, 120, (1, 64), generator=torch.Generator().manual_seed(1))
    bounds = torch.tensor(edges, dtype=torch.int32)
    packing = PackedSeqParams(
        qkv_format="thd", cu_seqlens_q=bounds, cu_seqlens_kv=bounds, max_seqlen_q=27, max_seqlen_kv=27
    )
    places = torch.arange(64)[None]
    packed = model(tokens, places, None, labels=tokens, packed_seq_params=packing)
    spans = [slice(low, high) for low, high in itertools.pairwise(edges)]
    alone = [model(tokens[:, span], places[:, span], None, labels=tokens[:, span]) for span in spans]
    torch.testing.assert_close(packed, torch.cat(alone, 1), atol=1e-6, rtol=0)
    merged = model(tokens, places, None, labels=tokens)
    assert (merged - packed).abs().max() > 1e-3


@pytest.mark.parametrize("rows", [5, 300])
def test_the_loss_equals_torchs_cross_entropy(rows):
    hidden, weight = random(rows, 2, 16), random(50, 16, seed=1)
    labels = torch.randint(0, 50, (2, rows), generator=torch.Generator().manual_seed(2))
    mask = torch.rand(2, rows, generator=torch.Generator().manual_seed(3)) < 0.4
    mine = token_losses(hidden, weight, labels, mask)
    logits = (hidden @ weight.t()).transpose(0, 1)
    theirs = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels) * mask
    torch.testing.assert_close(mine, theirs, atol=4e-6, rtol=1e-5)
    grads = torch.autograd.grad(mine.sum() * 0.5, (hidden, weight))
    torch.testing.assert_close(grads, torch.autograd.grad(theirs.sum() * 0.5, (hidden, weight)), atol=1e-5, rtol=1e-4)


def test_nothing_learned_is_a_loss_of_zero():
    hidden, weight = random(4, 1, 8), random(20, 8)
    losses = token_losses(hidden, weight, torch.zeros(1, 4, dtype=torch.long), torch.zeros(1, 4, dtype=torch.uint8))
    losses.sum().backward()
    assert losses.tolist() == [[0, 0, 0, 0]]
    assert not hidden.grad.any()


def test_weights_of_another_precision_are_read(process, base):
    from specialize.checkpoint import load_weights
    from specialize.config import Precision

    exact, low = build_model(MODEL), build_model(MODEL, precision=Precision.BF16)
    load_weights(base, exact)
    load_weights(base, low)
    for mine, theirs in zip(low.parameters(), exact.parameters(), strict=True):
        assert mine.dtype == torch.bfloat16
        torch.testing.assert_close(mine, theirs.to(torch.bfloat16))
