"""Operations of a model and of a device: what MFU is a ratio of.

Model operations are those that the mathematics needs, forward and backward: 6 a weight of a matrix product and token, and the
products of attention under the causal mask (Narayanan et al. 2021, 2104.04473, appendix; PaLM, 2204.02311, appendix B; both
count the full square, this counts the half that is computed). Recomputation is not counted: MFU, not HFU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from specialize.config import ModelConfig

if TYPE_CHECKING:
    import torch

PEAK_FLOPS = {
    "H200": 989e12,
    "H100": 989e12,
    "H800": 989e12,
    "A100": 312e12,
    "A800": 312e12,
    "L40S": 362e12,
    "B200": 2250e12,
}
"""Dense BF16 operations a second by a part of the device's name; NVIDIA data sheets, SXM where there are several."""


def model_flops(model: ModelConfig, seq_length: int) -> float:
    """Count the operations of one token of a sample, forward and backward.

    >>> shape = {"hidden_size": 8, "ffn_hidden_size": 16, "num_attention_heads": 2, "num_query_groups": 2, "head_dim": 4}
    >>> model_flops(ModelConfig(num_layers=1, vocab_size=32, max_position_embeddings=64, **shape), 64)
    8448.0
    """
    hidden, heads, dim = model.hidden_size, model.num_attention_heads, model.head_dim
    attention = hidden * (heads + 2 * model.num_query_groups) * dim + heads * dim * hidden
    layer = attention + 3 * hidden * model.ffn_hidden_size
    scores = seq_length * heads * dim  # q k and weights v: 2 products over half of the positions
    return 6.0 * (model.num_layers * (layer + scores) + model.vocab_size * hidden)


def peak_flops(device: torch.device) -> float | None:
    """Look the device's peak up; None where it is not known, as on CPU."""
    if device.type != "cuda":
        return None
    import torch

    name = torch.cuda.get_device_name(device)
    return next((peak for key, peak in PEAK_FLOPS.items() if key in name), None)
