"""Configs refuse what cannot be, and travel as JSON."""

import subprocess
import sys

import pytest

from specialize.config import (
    Architecture,
    Attention,
    FineTuneConfig,
    ModelConfig,
    OptimizerConfig,
    ParallelConfig,
    PretrainConfig,
    from_plain,
    model_parameters,
    to_plain,
)
from tests.specialize.conftest import MODEL

OPTIMIZER = OptimizerConfig(learning_rate=1e-5)


def pretrain(**changes):
    """A small pretraining config."""
    return PretrainConfig(
        **{"seq_length": 8, "global_batch_size": 4, "train_steps": 10, "optimizer": OPTIMIZER} | changes
    )


@pytest.mark.parametrize(
    "value",
    [
        MODEL,
        pretrain(parallel=ParallelConfig(data_parallel=2)),
        FineTuneConfig(seq_length=8, epochs=1, optimizer=OPTIMIZER),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_values_give_the_config_back(value):
    assert from_plain(type(value), to_plain(value)) == value


def test_a_model_survives_its_file(tmp_path):
    MODEL.save(tmp_path)
    assert ModelConfig.load(tmp_path) == MODEL


def test_the_length_is_given_once():
    with pytest.raises(ValueError, match="exactly one of train_steps and train_tokens"):
        pretrain(train_tokens=1000)
    with pytest.raises(ValueError, match="exactly one"):
        pretrain(train_steps=None)


def test_tokens_become_whole_steps():
    config = pretrain(train_steps=None, train_tokens=100)
    assert (config.planned_steps(), config.planned_tokens()) == (3, 96)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seq_length": 0}, "PretrainConfig.seq_length must be at least 1, got 0"),
        ({"global_batch_size": 5, "micro_batch_size": 2}, "must be a multiple"),
        ({"replay_fraction": 1.5}, "replay_fraction must be in 0.0 to 1.0, got 1.5"),
        ({"train_steps": None, "train_tokens": 31}, "at least one step of 32 tokens"),
        ({"attention": Attention.ISOLATED, "parallel": ParallelConfig(context_parallel=2)}, "isolated does not work"),
    ],
)
def test_a_broken_value_names_its_field(changes, message):
    with pytest.raises(ValueError, match=message):
        pretrain(**changes)


def test_an_unknown_key_is_refused():
    with pytest.raises(ValueError, match="ModelConfig has no field 'layers'"):
        from_plain(ModelConfig, {"layers": 2})


def test_the_size_of_a_known_model():
    smollm2 = ModelConfig(
        architecture=Architecture.LLAMA,
        num_layers=30,
        hidden_size=576,
        ffn_hidden_size=1536,
        num_attention_heads=9,
        num_query_groups=3,
        head_dim=64,
        vocab_size=49152,
        max_position_embeddings=8192,
        qkv_bias=False,
        tie_embeddings=True,
    )
    assert model_parameters(smollm2) == 134_515_008


def test_stage_functions_load_no_torch():
    script = "import sys, specialize.train, specialize.config, specialize.launch; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
