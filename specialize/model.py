"""A Megatron-core GPTModel from a ModelConfig: Transformer Engine's layers on CUDA where installed, ours elsewhere.

Guarantees: the same weights give the same losses for every layer spec and layout, to rounding; the names in a
checkpoint do not depend on the spec. Fusions that need CUDA kernels are on only with Transformer Engine. Leaves out
mixture of experts and FP8. The process must have gone through `device.init_process`
before.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import torch
from megatron.core import parallel_state
from megatron.core.models.gpt.gpt_layer_specs import (
    get_gpt_layer_local_spec,
    get_gpt_layer_with_transformer_engine_spec,
)
from megatron.core.models.gpt.gpt_model import GPTModel
from megatron.core.transformer.transformer_block import TransformerBlockSubmodules, get_num_layers_to_build
from megatron.core.transformer.transformer_config import TransformerConfig
from torch.nn.functional import silu

from specialize.attention import CoreAttention, RMSNorm
from specialize.config import ModelConfig, ParallelConfig, Precision
from specialize.cross_entropy import token_losses


class LanguageModel(GPTModel):  # type: ignore[misc]
    """GPTModel whose loss is computed on learned positions only, where the rank holds the whole vocabulary."""

    def _postprocess(self, hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        labels = kwargs.get("labels")
        if labels is None or not self.post_process or self.config.tensor_model_parallel_size > 1:
            out: torch.Tensor = super()._postprocess(hidden_states, *args, **kwargs)
            return out
        tied = self.share_embeddings_and_output_weights
        weight = self.shared_embedding_or_output_weight() if tied else self.output_layer.weight
        for (
            hook
        ) in self.output_layer._forward_pre_hooks.values():  # the layer is not called, and DDP may still gather it
            hook(self.output_layer, ())
        return token_losses(hidden_states, weight, labels, kwargs.get("loss_mask"))


def build_model(
    model: ModelConfig,
    parallel: ParallelConfig | None = None,
    *,
    precision: Precision = Precision.FP32,
    dropout: float = 0.0,
    recompute: bool = False,
    stage: int | None = None,
) -> LanguageModel:
    """Build this rank's part of the model, or its `stage`-th virtual one, with random weights from Megatron's seed."""
    parallel = parallel or ParallelConfig()
    _check_layout(model, parallel)
    config = transformer_config(model, parallel, precision=precision, dropout=dropout, recompute=recompute)
    return LanguageModel(
        config=config,
        transformer_layer_spec=_layer_spec(config, stage),
        vocab_size=model.vocab_size,
        max_sequence_length=model.max_position_embeddings,
        pre_process=parallel_state.is_pipeline_first_stage(ignore_virtual=stage is None, vp_stage=stage),
        post_process=parallel_state.is_pipeline_last_stage(ignore_virtual=stage is None, vp_stage=stage),
        vp_stage=stage,
        share_embeddings_and_output_weights=model.tie_embeddings,
        position_embedding_type="rope",
        rotary_base=model.rotary_base,
    )


def build_skeleton(model: ModelConfig) -> LanguageModel:
    """Build the whole model without memory for its weights, of our layers: what a checkpoint's names and cuts are."""
    config = transformer_config(model, ParallelConfig(), precision=Precision.FP32, dropout=0.0, recompute=False)
    with torch.device("meta"):
        return LanguageModel(
            config=config,
            transformer_layer_spec=_plain_spec(config),
            vocab_size=model.vocab_size,
            max_sequence_length=model.max_position_embeddings,
            share_embeddings_and_output_weights=model.tie_embeddings,
            position_embedding_type="rope",
            rotary_base=model.rotary_base,
        )


def transformer_config(
    model: ModelConfig, parallel: ParallelConfig, *, precision: Precision, dropout: float, recompute: bool
) -> TransformerConfig:
    """Say in Megatron's words what a model and its layout are."""
    fused = has_transformer_engine()
    kind = torch.bfloat16 if precision is Precision.BF16 else torch.float32
    return TransformerConfig(
        num_layers=model.num_layers,
        hidden_size=model.hidden_size,
        ffn_hidden_size=model.ffn_hidden_size,
        num_attention_heads=model.num_attention_heads,
        num_query_groups=model.num_query_groups,
        kv_channels=model.head_dim,
        normalization="RMSNorm",
        layernorm_epsilon=model.norm_epsilon,
        gated_linear_unit=True,
        activation_func=silu,
        add_bias_linear=False,
        add_qkv_bias=model.qkv_bias,
        qk_layernorm=model.qk_norm,
        init_method_std=model.initializer_std,
        hidden_dropout=dropout,
        attention_dropout=dropout,
        tensor_model_parallel_size=parallel.tensor_parallel,
        pipeline_model_parallel_size=parallel.pipeline_parallel,
        virtual_pipeline_model_parallel_size=parallel.virtual_pipeline if parallel.virtual_pipeline > 1 else None,
        context_parallel_size=parallel.context_parallel,
        sequence_parallel=parallel.sequence_parallel,
        bf16=precision is Precision.BF16,
        params_dtype=kind,
        pipeline_dtype=kind,
        # a weight's random values do not depend on how it is cut over ranks
        use_cpu_initialization=True,
        calculate_per_token_loss=True,
        masked_softmax_fusion=False,
        gradient_accumulation_fusion=False,
        bias_activation_fusion=fused,
        bias_dropout_fusion=fused,
        apply_rope_fusion=fused,
        persist_layer_norm=fused,
        deallocate_pipeline_outputs=parallel.pipeline_parallel > 1,
        **_recomputation(enabled=recompute),
    )


def _recomputation(*, enabled: bool) -> dict[str, Any]:
    if not enabled:
        return {}
    return {"recompute_granularity": "full", "recompute_method": "uniform", "recompute_num_layers": 1}


def has_transformer_engine() -> bool:
    """Tell whether layers come from Transformer Engine: CUDA is there and the package is installed."""
    return torch.cuda.is_available() and importlib.util.find_spec("transformer_engine") is not None


def _layer_spec(config: TransformerConfig, stage: int | None) -> Any:
    if has_transformer_engine():
        return get_gpt_layer_with_transformer_engine_spec(qk_layernorm=config.qk_layernorm)
    return _plain_spec(config, stage)


def _plain_spec(config: TransformerConfig, stage: int | None = None) -> Any:
    layer = get_gpt_layer_local_spec(normalization="RMSNorm", qk_layernorm=config.qk_layernorm)
    layer.submodules.input_layernorm = layer.submodules.pre_mlp_layernorm = RMSNorm
    attention = layer.submodules.self_attention.submodules
    attention.core_attention = CoreAttention
    if config.qk_layernorm:
        attention.q_layernorm = attention.k_layernorm = RMSNorm
    layers = [layer] * get_num_layers_to_build(config, vp_stage=stage)
    return TransformerBlockSubmodules(layer_specs=layers, layer_norm=RMSNorm)


def _check_layout(model: ModelConfig, parallel: ParallelConfig) -> None:
    for name in ("num_attention_heads", "num_query_groups", "ffn_hidden_size", "vocab_size"):
        if getattr(model, name) % parallel.tensor_parallel:
            raise ValueError(
                f"ModelConfig.{name} must be a multiple of tensor_parallel {parallel.tensor_parallel}, "
                f"got {getattr(model, name)}"
            )
    if model.num_layers % parallel.pipeline_parallel:
        raise ValueError(
            f"ModelConfig.num_layers must be a multiple of pipeline_parallel {parallel.pipeline_parallel}, "
            f"got {model.num_layers}"
        )
