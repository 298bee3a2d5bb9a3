"""Losses and gradients do not depend on how a model and its batch are cut over ranks, nor on a stop in between."""

import json
from pathlib import Path

import pytest

from specialize.checkpoint import load_weights
from specialize.config import FineTuneConfig, ModelConfig, OptimizerConfig, Precision, PretrainConfig, to_plain
from specialize.launch import Local
from specialize.loop import build_trainer
from tests.specialize.layout_worker import run_all

STEPS = 20
SHARED = {"optimizer": OptimizerConfig(learning_rate=5e-3), "precision": Precision.FP32, "train_steps": STEPS}
PRETRAIN = PretrainConfig(
    seq_length=32, global_batch_size=4, micro_batch_size=2, max_epochs=2.0, replay_fraction=0.25, **SHARED
)
FINE_TUNE = FineTuneConfig(seq_length=64, global_batch_size=9, max_epochs=4.0, dropout=0.0, **SHARED)
CONFIGS = {"pretrain": PRETRAIN, "fine_tune": FINE_TUNE}
DISTRIBUTED = {"data_parallel": 2, "distributed_optimizer": True}
LAYOUTS = {
    "tp2": ("pretrain", {"tensor_parallel": 2}),
    "tp2 sequence parallel": ("pretrain", {"tensor_parallel": 2, "sequence_parallel": True}),
    "pp2": ("pretrain", {"pipeline_parallel": 2}),
    "cp2": ("pretrain", {"context_parallel": 2}),
    "dp2": ("pretrain", {"data_parallel": 2}),
    "dp2 distributed optimizer": ("pretrain", DISTRIBUTED),
    "packs tp2": ("fine_tune", {"tensor_parallel": 2}),
    "packs pp2": ("fine_tune", {"pipeline_parallel": 2}),
    "packs dp2": ("fine_tune", {"data_parallel": 2}),
}
RESUME = {"steps": 8, "resume_at": 4}
RESUMED = ("dp2", "dp2 distributed optimizer")


@pytest.fixture(scope="module")
def plan(tmp_path_factory, base, code, text, packs):
    """What the worker needs besides its layouts."""
    folder = tmp_path_factory.mktemp("layouts")
    places = {"model": base, "code": code, "text": text, "packs": packs, "out": folder / "rows.json"}
    return {name: str(path) for name, path in places.items()}


@pytest.fixture(scope="module")
def one_rank(plan):
    """Rows of a single process."""
    return run_all({**plan, "layouts": {kind: _spec(plan, kind, kind, {}) for kind in CONFIGS}})


@pytest.fixture(scope="module")
def two_ranks(plan, one_rank):
    """Rows of every layout, from one pair of processes."""
    layouts = {name: _spec(plan, name, kind, parallel) for name, (kind, parallel) in LAYOUTS.items()}
    out = Path(plan["out"])
    for name in RESUMED:
        layouts[f"{name} resumed"] = {**layouts[name], **RESUME, "folder": str(out.with_name(name))}
    job = out.with_name("job.json")
    job.write_text(json.dumps({**plan, "layouts": layouts}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        Local(threads=1).run("tests.specialize.layout_worker", [str(job)], ranks=2, log=out.with_name("ranks.log"))
    return json.loads(out.read_text())


@pytest.mark.parametrize("name", LAYOUTS)
def test_two_ranks_learn_what_one_learns(name, one_rank, two_ranks):
    expected, actual = one_rank[LAYOUTS[name][0]]["rows"], two_ranks[name]["rows"]
    assert actual[0]["loss"] == pytest.approx(expected[0]["loss"], rel=1e-5)
    assert actual[0]["grad_norm"] == pytest.approx(expected[0]["grad_norm"], rel=1e-5)
    expected = expected[: len(actual)]
    assert [row["loss"] for row in actual] == pytest.approx([row["loss"] for row in expected], rel=1e-4)
    for count in ("tokens", "learned_tokens", "consumed_samples", "consumed_tokens", "learning_rate"):
        assert [row[count] for row in actual] == [row[count] for row in expected]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_gradient_is_that_of_one_rank(name, plan, base, one_rank, two_ranks):
    """Tensor by tensor, before clipping: the norm of the difference against the norm."""
    folder = Path(plan["out"]).parent
    expected = _read_weights(folder / f"gradients of {LAYOUTS[name][0]}", base)
    actual = _read_weights(folder / f"gradients of {name}", base)
    assert expected.keys() == actual.keys()
    for tensor, value in expected.items():
        assert value.norm() > 0, tensor
        assert (actual[tensor] - value).norm() <= 1e-5 * value.norm(), tensor


def test_learning_lowers_the_loss(one_rank):
    rows = one_rank["pretrain"]["rows"]
    assert rows[-1]["loss"] < 0.7 * rows[0]["loss"]


@pytest.mark.parametrize("name", RESUMED)
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(name, two_ranks):
    unbroken, resumed = two_ranks[name]["rows"], two_ranks[f"{name} resumed"]["rows"]
    for value in ("step", "loss", "grad_norm", "consumed_tokens"):
        assert [row[value] for row in resumed] == [row[value] for row in unbroken[: len(resumed)]]


@pytest.mark.parametrize("name", [*LAYOUTS, *(f"{name} resumed" for name in RESUMED)])
def test_the_optimizer_counts_steps_not_parameters(name, two_ranks):
    """A counter that is shared between parameters, as Megatron restores it, would be far above the number of steps."""
    assert two_ranks[name]["adam_steps"] == [two_ranks[name]["rows"][-1]["step"]]


def _read_weights(checkpoint, base):
    """The whole tensors of a checkpoint that any number of ranks wrote."""
    model = build_trainer(ModelConfig.load(base), PRETRAIN).model
    load_weights(checkpoint, model)
    return {name: tensor.detach().clone() for name, tensor in model.named_parameters()}


def _spec(plan, name, kind, parallel):
    return {
        "gradients": str(Path(plan["out"]).with_name(f"gradients of {name}")),
        "kind": kind,
        "config": to_plain(CONFIGS[kind]),
        "parallel": parallel,
        "steps": STEPS if kind == "pretrain" else 6,
    }
