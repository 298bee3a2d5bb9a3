"""The estimate of a rank's memory: exact where it counts tensors, near where autograd decides."""

from dataclasses import replace

import pytest
import torch

from specialize import memory, preflight
from specialize.config import (
    Architecture,
    Attention,
    FineTuneConfig,
    ModelConfig,
    OptimizerConfig,
    ParallelConfig,
    Precision,
    PretrainConfig,
    model_parameters,
)
from tests.specialize.conftest import MODEL

GB = 10**9
OPTIMIZER = OptimizerConfig(learning_rate=1e-5)
SEVEN_B = ModelConfig(
    num_layers=32,
    hidden_size=4096,
    ffn_hidden_size=11008,
    num_attention_heads=32,
    num_query_groups=32,
    head_dim=128,
    vocab_size=151936,
    max_position_embeddings=8192,
)


def config(**changes):
    values = {"seq_length": 8192, "global_batch_size": 64, "train_steps": 1, "optimizer": OPTIMIZER, "dropout": 0.0}
    return PretrainConfig(**values | changes)


@pytest.mark.parametrize("shape", [MODEL, SEVEN_B, replace(MODEL, architecture=Architecture.QWEN3, qkv_bias=False)])
@pytest.mark.parametrize("stages", [1, 2])
def test_stages_hold_all_weights(shape, stages):
    parallel = ParallelConfig(pipeline_parallel=stages)
    held = sum(memory.stage_parameters(shape, parallel, stage) for stage in range(stages))
    twice = shape.vocab_size * shape.hidden_size if shape.tie_embeddings and stages > 1 else 0
    assert held == model_parameters(shape) + twice


@pytest.mark.parametrize("precision", Precision)
def test_weights_gradients_and_optimizer_are_counted_exactly(process, precision):
    """Against the tensors that there are after a step; the optimizer's counters of 4 bytes are left out."""
    from specialize.checkpoint import only_optimizer
    from specialize.trainer import build_trainer

    values = config(seq_length=8, precision=precision)
    trainer = build_trainer(MODEL, values)
    trainer.model.zero_grad_buffer()
    trainer.optimizer.step()
    expected = memory.estimate(MODEL, values)
    parameters = list(trainer.model.parameters())
    assert expected.weights == size(parameters)
    assert expected.gradients == size([parameter.main_grad for parameter in parameters])
    inner = only_optimizer(trainer.optimizer)
    moments = [
        value
        for state in inner.optimizer.state.values()
        for value in state.values()
        if torch.is_tensor(value) and value.dim()
    ]
    masters = [p for group in inner.optimizer.param_groups for p in group["params"]]
    own = [p for p in masters if p.data_ptr() not in {parameter.data_ptr() for parameter in parameters}]
    assert expected.optimizer == size(moments) + size(own)


@pytest.mark.parametrize("recompute", [False, True])
def test_activations_are_what_autograd_keeps(process, recompute):
    """Weights left out; storage counted once. A sample long enough that attention keeps no scores."""
    from specialize.model import build_model

    shape = replace(MODEL, num_layers=4, hidden_size=64, ffn_hidden_size=160, head_dim=16, max_position_embeddings=4096)
    values = config(seq_length=2304, precision=Precision.FP32, recompute=recompute)
    model = build_model(shape, recompute=recompute).train()
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept = {}

    def keep(tensor):
        if tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = (tensor.untyped_storage().nbytes(), tensor)
        return tensor

    tokens = torch.arange(2304)[None] % 100
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(tokens, tokens, None, labels=tokens, loss_mask=torch.ones_like(tokens)).sum()
    assert memory.estimate(shape, values).activations == pytest.approx(
        sum(n for n, _ in kept.values()), rel=0.05 if recompute else 0.01
    )


def test_the_numbers_of_seven_billion():
    """16 bytes a parameter on one device (1910.02054, section 3.1, with FP32 gradients 18); cut, an eighth and more."""
    whole = memory.estimate(SEVEN_B, config())
    parameters = model_parameters(SEVEN_B)
    assert whole.weights + whole.gradients + whole.optimizer == 18 * parameters
    parallel = ParallelConfig(tensor_parallel=4, data_parallel=16, sequence_parallel=True, distributed_optimizer=True)
    cut = memory.estimate(SEVEN_B, config(parallel=parallel, recompute=True))
    assert cut.optimizer == pytest.approx(12 * parameters / 64, rel=0.01)
    assert cut.total < 24 * GB
    memory.check_fits(cut, 80 * GB, "an H100")
    with pytest.raises(
        ValueError, match=r"a rank needs .* = \d+.* GB, and 10% over; an H100 has 80.0 GB: set recompute"
    ):
        memory.check_fits(whole, 80 * GB, "an H100")


@pytest.mark.parametrize(
    "parallel",
    [
        {"tensor_parallel": 2},
        {"tensor_parallel": 2, "sequence_parallel": True},
        {"pipeline_parallel": 4},
        {"context_parallel": 2},
        {"data_parallel": 8, "distributed_optimizer": True},
    ],
)
def test_every_cut_saves_memory(parallel):
    assert (
        memory.estimate(SEVEN_B, config(parallel=ParallelConfig(**parallel))).total
        < memory.estimate(SEVEN_B, config()).total
    )


def test_virtual_stages_keep_more_activations():
    """(1 + (p - 1) / (p v)) times those of a pipeline (2205.04473 and 2205.05198, section 4.2.3)."""
    plain, virtual = (
        memory.estimate(
            replace(SEVEN_B, vocab_size=4), config(parallel=ParallelConfig(pipeline_parallel=4, virtual_pipeline=count))
        ).activations
        for count in (1, 2)
    )
    assert virtual / plain == pytest.approx(1 + 3 / 8, rel=1e-3)


def test_everything_wrong_is_said_at_once():
    parallel = ParallelConfig(tensor_parallel=3, pipeline_parallel=2, virtual_pipeline=2, sequence_parallel=True)
    with pytest.raises(ValueError, match="cannot start") as raised:
        preflight.check(MODEL, config(seq_length=64, parallel=parallel))
    lines = str(raised.value).splitlines()
    assert lines == [
        "this training cannot start:",
        "- the model's num_attention_heads is 4, which is no multiple of tensor_parallel 3: choose a divisor of 4",
        "- the model's num_query_groups is 2, which is no multiple of tensor_parallel 3: choose a divisor of 2",
        "- the model's ffn_hidden_size is 64, which is no multiple of tensor_parallel 3: choose a divisor of 64",
        "- the model's vocab_size is 128, which is no multiple of tensor_parallel 3: choose a divisor of 128",
        "- the model's num_layers is 2, which is no multiple of pipeline_parallel x virtual_pipeline 4: choose a divisor of 2",
        (
            "- seq_length / context_parallel is 64, which is no multiple of tensor_parallel, because of sequence_parallel, 3: "
            "choose a divisor of 64"
        ),
    ]


def test_packs_beyond_the_positions_are_refused_and_pretraining_may_learn_them():
    with pytest.raises(ValueError, match="seq_length is 65, but the model knows 64 positions: pack to that"):
        preflight.check(MODEL, FineTuneConfig(seq_length=65, epochs=1, optimizer=OPTIMIZER))
    preflight.check(MODEL, config(seq_length=65))


def test_isolated_rows_are_padded_for_sequence_parallelism():
    parallel = ParallelConfig(tensor_parallel=2, sequence_parallel=True)
    preflight.check(MODEL, config(seq_length=63, parallel=parallel, attention=Attention.ISOLATED))
    with pytest.raises(ValueError, match="63"):
        preflight.check(MODEL, config(seq_length=63, parallel=parallel))


@pytest.mark.parametrize(
    ("gpus", "where"), [([24 << 30, 80 << 30], "smallest GPU"), ([], "share of this machine's memory")]
)
def test_this_machine_is_looked_at(monkeypatch, gpus, where):
    monkeypatch.setattr(preflight, "gpu_bytes", lambda: gpus)
    preflight.check_memory(MODEL, config(seq_length=64))
    huge = replace(SEVEN_B, num_layers=32 * 100)
    with pytest.raises(ValueError, match=where):
        preflight.check_memory(huge, config())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keep_every": 7, "checkpoint_interval": 2}, "keep_every must be a multiple of checkpoint_interval 2, got 7"),
        ({"keep_best": True}, "keep_best needs evaluation_interval above 0"),
        ({"keep_last": 0}, "keep_last must be at least 1"),
        ({"weights": (("Go", 1.0), ("C", 1.0), ("Go", 2.0))}, "name each language once, got Go 2 times"),
    ],
)
def test_a_broken_value_names_its_field(changes, message):
    with pytest.raises(ValueError, match=message):
        config(**changes)
    with pytest.raises(ValueError, match="virtual_pipeline needs pipeline_parallel above 1"):
        ParallelConfig(virtual_pipeline=2)


def size(tensors):
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
