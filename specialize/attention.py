"""Modules for Megatron that need neither Transformer Engine nor Apex: RMSNorm, and attention, merged or packed.

Guarantees: attention is causal; a packed sample gives exactly what its documents give alone; with context
parallelism it gives what one rank gives, to rounding. On CPU, samples up to `BLOCK_LIMIT` tokens take blocks of
query rows with plain matrix products: 8 ms a layer where torch's SDPA takes 19 (1x512, 9 heads, BF16, both passes),
but half of the attention matrix is kept, so longer samples go to SDPA. Leaves out packed samples with context
parallelism.

Shapes: T sequence, B batch, H query heads, G key/value heads, D head dimension; Megatron's order is TBHD.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from megatron.core import parallel_state
from megatron.core.tensor_parallel.mappings import gather_from_sequence_parallel_region
from megatron.core.tensor_parallel.random import get_cuda_rng_tracker
from megatron.core.transformer.module import MegatronModule
from torch.nn.functional import scaled_dot_product_attention

BLOCK_ROWS = 128
"""Query rows of one block; the size of the measurement above."""
BLOCK_LIMIT = 2048
"""Longest sample in tokens for blocks: beyond it the kept probabilities outweigh the gain."""


class RMSNorm(torch.nn.RMSNorm):
    """Torch's RMSNorm with Megatron's constructor, usable with sequence parallelism (Megatron's local one is not)."""

    def __init__(self, config: Any, hidden_size: int, eps: float = 1e-5, **_: Any) -> None:
        super().__init__(hidden_size, eps=eps, dtype=config.params_dtype, device=torch.cuda.current_device())
        # finalize_model_grads sums the gradients of marked weights over the tensor-parallel ranks
        self.weight.sequence_parallel = config.sequence_parallel  # type: ignore[attr-defined]


class CoreAttention(MegatronModule):  # type: ignore[misc]
    """Softmax attention on torch alone, in the place of Megatron's `core_attention`."""

    def __init__(
        self,
        config: Any,
        layer_number: int,  # noqa: ARG002
        attn_mask_type: Any,  # noqa: ARG002
        attention_type: str,  # noqa: ARG002
        attention_dropout: float | None = None,
        softmax_scale: float | None = None,
        cp_comm_type: str | None = None,  # noqa: ARG002
        pg_collection: Any = None,
    ) -> None:
        super().__init__(config=config)
        self.scale = softmax_scale or 1.0 / math.sqrt(config.kv_channels)
        self.dropout = config.attention_dropout if attention_dropout is None else attention_dropout
        self.cp_group = pg_collection.cp if pg_collection else parallel_state.get_context_parallel_group()

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,  # noqa: ARG002
        attn_mask_type: Any = None,  # noqa: ARG002
        attention_bias: torch.Tensor | None = None,  # noqa: ARG002
        packed_seq_params: Any = None,
    ) -> torch.Tensor:
        """Attend causally: TBHD to TB(HD), or, packed, THD to T1(HD) inside the given documents."""
        if packed_seq_params is not None:
            return self._packed(query, key, value, packed_seq_params.cu_seqlens_q.tolist())
        if self.cp_group.size() > 1:
            return self._context_parallel(query, key, value)
        return self._attend(query, key, value)

    def _packed(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bounds: list[int]) -> torch.Tensor:
        spans = [slice(low, high) for low, high in itertools.pairwise(bounds)]
        parts = [self._attend(query[span, None], key[span, None], value[span, None]) for span in spans]
        return torch.cat(parts)

    def _context_parallel(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Attend from this rank's two chunks to the keys of all ranks.

        Of 2n chunks rank r of n holds r and 2n-1-r, so that each rank has the same work under the causal mask.
        """
        ranks, rank, length = self.cp_group.size(), self.cp_group.rank(), query.size(0) // 2
        key, value = self._gather(key), self._gather(value)
        parts = []
        for chunk, rows in zip((rank, 2 * ranks - 1 - rank), torch.split(query, length), strict=True):
            end = (chunk + 1) * length
            mask = torch.ones(length, end, dtype=torch.bool, device=query.device).tril(diagonal=chunk * length)
            parts.append(self._attend(rows, key[:end], value[:end], mask))
        return torch.cat(parts)

    def _gather(self, x_TBGD: torch.Tensor) -> torch.Tensor:
        ranks, length = self.cp_group.size(), x_TBGD.size(0) // 2
        whole = gather_from_sequence_parallel_region(
            x_TBGD.contiguous(), tensor_parallel_output_grad=True, group=self.cp_group
        )
        chunks = torch.split(whole, length)  # in the order of ranks: 0, 2n-1, 1, 2n-2, ...
        return torch.cat([*chunks[0::2], *chunks[2 * ranks - 1 :: -2]])

    def _attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        q_BHTD, k_BGTD, v_BGTD = (x.permute(1, 2, 0, 3) for x in (query, key, value))
        dropout = self.dropout if self.training else 0.0
        by_blocks = mask is None and query.device.type == "cpu" and query.size(0) <= BLOCK_LIMIT
        with get_cuda_rng_tracker().fork():  # other heads on other tensor-parallel ranks drop other weights
            if by_blocks:
                out_BHTD = block_attention(q_BHTD, k_BGTD, v_BGTD, scale=self.scale, dropout=dropout)
            else:
                out_BHTD = scaled_dot_product_attention(
                    q_BHTD,
                    k_BGTD,
                    v_BGTD,
                    attn_mask=mask,
                    is_causal=mask is None,
                    dropout_p=dropout,
                    scale=self.scale,
                    enable_gqa=q_BHTD.size(1) != k_BGTD.size(1),
                )
        return out_BHTD.permute(2, 0, 1, 3).flatten(2)


def block_attention(
    q_BHTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor, *, scale: float, dropout: float = 0.0
) -> torch.Tensor:
    """Attend causally by blocks of query rows, on CPU; matrix products in the autocast type where autocast is on."""
    if torch.is_autocast_enabled("cpu"):
        kind = torch.get_autocast_dtype("cpu")
        q_BHTD, k_BGTD, v_BGTD = q_BHTD.to(kind), k_BGTD.to(kind), v_BGTD.to(kind)
    with torch.autocast("cpu", enabled=False):
        out: torch.Tensor = _BlockAttention.apply(q_BHTD, k_BGTD, v_BGTD, scale, dropout)  # type: ignore[no-untyped-call]
    return out


class _BlockAttention(torch.autograd.Function):
    """Keeps the probabilities of the lower triangle, and what dropout kept; sums gradients of keys and values in FP32.

    Query heads that share a key/value head are stacked into one matrix of (H / G) x rows, so each block is one product.
    """

    @staticmethod
    def forward(
        ctx: Any, q_BHTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor, scale: float, dropout: float
    ) -> torch.Tensor:
        batch, heads, length, dim = q_BHTD.shape
        groups = k_BGTD.shape[1]
        out, scaled = torch.empty_like(q_BHTD, memory_format=torch.contiguous_format), q_BHTD * scale
        kept: list[torch.Tensor] = []
        for low in range(0, length, BLOCK_ROWS):
            high = min(low + BLOCK_ROWS, length)
            rows = (batch, groups, heads // groups * (high - low), -1)
            scores = scaled[:, :, low:high].reshape(rows) @ k_BGTD[:, :, :high].transpose(-1, -2)
            scores = scores.view(batch, heads, high - low, high)
            future = torch.full((high - low, high - low), -torch.inf, dtype=scores.dtype).triu_(1)
            scores[..., low:] += future
            weights = torch.softmax(scores, -1, dtype=torch.float32).to(v_BGTD.dtype).view(rows)
            kept.append(weights)
            if dropout:
                kept.append(torch.rand_like(weights, dtype=torch.float32) >= dropout)
                weights = weights * kept[-1] / (1 - dropout)
            out[:, :, low:high] = (weights @ v_BGTD[:, :, :high]).view(batch, heads, high - low, dim)
        ctx.save_for_backward(q_BHTD, k_BGTD, v_BGTD, out, *kept)
        ctx.scale, ctx.dropout = scale, dropout
        return out

    @staticmethod
    def backward(ctx: Any, grad_BHTD: torch.Tensor) -> Any:
        q_BHTD, k_BGTD, v_BGTD, out, *kept = ctx.saved_tensors
        batch, heads, length, dim = q_BHTD.shape
        groups = k_BGTD.shape[1]
        grad_q = torch.empty_like(q_BHTD, memory_format=torch.contiguous_format)
        grad_k = torch.zeros(k_BGTD.shape, dtype=torch.float32)
        grad_v = torch.zeros(v_BGTD.shape, dtype=torch.float32)
        inner = (grad_BHTD.float() * out.float()).sum(-1, keepdim=True).to(q_BHTD.dtype)
        step = 2 if ctx.dropout else 1
        for block, low in enumerate(range(0, length, BLOCK_ROWS)):
            high = min(low + BLOCK_ROWS, length)
            rows = (batch, groups, heads // groups * (high - low), -1)
            weights, grad_out = kept[block * step], grad_BHTD[:, :, low:high].reshape(rows)
            grad_weights = grad_out @ v_BGTD[:, :, :high].transpose(-1, -2)
            used = weights
            if ctx.dropout:
                mask = kept[block * step + 1] / (1 - ctx.dropout)
                used, grad_weights = (weights * mask).to(weights.dtype), (grad_weights * mask).to(weights.dtype)
            grad_v[:, :, :high] += used.transpose(-1, -2) @ grad_out
            grad_scores = (grad_weights - inner[:, :, low:high].reshape(rows)).mul_(weights)
            grad_q[:, :, low:high] = (grad_scores @ k_BGTD[:, :, :high]).view(batch, heads, high - low, dim)
            grad_k[:, :, :high] += grad_scores.transpose(-1, -2) @ q_BHTD[:, :, low:high].reshape(rows)
        grad_q.mul_(ctx.scale)
        return grad_q, grad_k.mul_(ctx.scale).to(k_BGTD.dtype), grad_v.to(v_BGTD.dtype), None, None
