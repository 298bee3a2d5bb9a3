"""Losses, gradients and weights do not depend on how a model and its batch are cut over ranks, nor on a stop in between.

Everything in FP32 against one process that starts from the same weights. Most layouts of two ranks run with the other tests,
four ranks with the slow ones. Weights after 20 steps: largest difference below `WEIGHTS`; AdamW divides by the root of tiny
second moments, so rounding of a gradient near zero becomes a whole step of the learning rate, 5e-3 here.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from specialize.checkpoint import load_weights, save_weights
from specialize.config import FineTuneConfig, ModelConfig, OptimizerConfig, Precision, PretrainConfig, to_plain
from specialize.device import seed_everything
from specialize.launch import Local
from specialize.model import build_model
from specialize.trainer import build_trainer
from tests.specialize.conftest import MODEL
from tests.specialize.layout_worker import run_all

STEPS = 20
FIRST_LOSS, LOSSES, GRADIENTS, WEIGHTS = 1e-6, 1e-4, 1e-5, 1e-3
SHARED = {"optimizer": OptimizerConfig(learning_rate=5e-3), "precision": Precision.FP32, "train_steps": STEPS}
PRETRAIN = PretrainConfig(
    seq_length=32, global_batch_size=4, micro_batch_size=2, max_epochs=2.0, replay_fraction=0.25, **SHARED
)
FINE_TUNE = FineTuneConfig(seq_length=64, global_batch_size=9, max_epochs=4.0, dropout=0.0, **SHARED)
SINGLES = replace(PRETRAIN, micro_batch_size=1)
CONFIGS = {
    "pretrain": PRETRAIN,
    "recompute": replace(PRETRAIN, recompute=True),
    "fine_tune": FINE_TUNE,
    "tall": PRETRAIN,
    "tall singles": SINGLES,
}
DISTRIBUTED = {"data_parallel": 2, "distributed_optimizer": True}
VIRTUAL = {"pipeline_parallel": 2, "virtual_pipeline": 2}
SEQUENCE = {"tensor_parallel": 2, "sequence_parallel": True}
LAYOUTS = {
    "tp2": ("pretrain", {"tensor_parallel": 2}),
    "tp2 sequence parallel": ("pretrain", SEQUENCE),
    "tp2 sequence parallel recompute": ("recompute", SEQUENCE),
    "pp2": ("pretrain", {"pipeline_parallel": 2}),
    "pp2 vpp2": ("tall", VIRTUAL),
    "cp2": ("pretrain", {"context_parallel": 2}),
    "dp2": ("pretrain", {"data_parallel": 2}),
    "dp2 overlap": ("pretrain", {"data_parallel": 2, "overlap": True}),
    "dp2 distributed optimizer": ("pretrain", DISTRIBUTED),
    "dp2 distributed optimizer overlap": ("tall", DISTRIBUTED | {"overlap": True}),
    "packs tp2": ("fine_tune", {"tensor_parallel": 2}),
    "packs tp2 sequence parallel": ("fine_tune", SEQUENCE),
    "packs pp2": ("fine_tune", {"pipeline_parallel": 2}),
    "packs dp2": ("fine_tune", {"data_parallel": 2}),
}
MIXES = {
    "tp2 pp2": ("pretrain", {"tensor_parallel": 2, "pipeline_parallel": 2}),
    "tp2 cp2": ("pretrain", {"tensor_parallel": 2, "context_parallel": 2}),
    "pp2 cp2": ("pretrain", {"pipeline_parallel": 2, "context_parallel": 2}),
    "tp2 sequence parallel dp2 distributed optimizer overlap": ("pretrain", SEQUENCE | DISTRIBUTED | {"overlap": True}),
    "cp2 dp2 distributed optimizer": ("pretrain", DISTRIBUTED | {"context_parallel": 2}),
    "pp2 dp2 distributed optimizer overlap": (
        "pretrain",
        DISTRIBUTED | {"pipeline_parallel": 2, "overlap": True},
    ),
    "pp2 vpp2 tp2 sequence parallel": ("tall", VIRTUAL | SEQUENCE),
    "pp2 vpp2 dp2 distributed optimizer overlap": ("tall singles", VIRTUAL | DISTRIBUTED | {"overlap": True}),
    "packs tp2 dp2": ("fine_tune", {"tensor_parallel": 2} | DISTRIBUTED),
    "packs pp2 dp2": ("fine_tune", {"pipeline_parallel": 2, "data_parallel": 2}),
}
FAST = ("tp2", "tp2 sequence parallel", "pp2", "cp2", "dp2", "dp2 distributed optimizer", "packs tp2", "packs dp2")
"""Of two ranks; the others are slow tests, as are those of four."""
RESUME = {"steps": 8, "resume_at": 4}
RESUMED = ("dp2", "dp2 distributed optimizer", "dp2 distributed optimizer overlap", "pp2 vpp2")
RESHARDED = {
    "dp2 distributed optimizer": SEQUENCE | {"distributed_optimizer": True},
    "tp2": {"pipeline_parallel": 2},
    "pp2 vpp2": {"tensor_parallel": 2},
    "cp2": {"data_parallel": 2},
}


@pytest.fixture(scope="module")
def plan(tmp_path_factory, base, code, text, packs):
    """What the worker needs besides its layouts."""
    folder = tmp_path_factory.mktemp("layouts")
    tall = replace(MODEL, num_layers=4, tie_embeddings=False)
    seed_everything(8)
    save_weights(folder / "tall base", build_model(tall))
    tall.save(folder / "tall base")
    places = {"model": base, "tall": folder / "tall base", "code": code, "text": text, "packs": packs, "folder": folder}
    return {name: str(path) for name, path in places.items()}


@pytest.fixture(scope="module")
def one_rank(plan):
    """Rows of a single process."""
    return run_all({**plan, "layouts": {kind: _spec(plan, kind, kind, {}) for kind in CONFIGS}})


@pytest.fixture(scope="module")
def fast(plan, one_rank):
    """Rows of the layouts of two ranks that run with the other tests, from one pair of processes."""
    return _run_two(plan, [name for name in LAYOUTS if name in FAST])


@pytest.fixture(scope="module")
def slow(plan, one_rank):
    """Rows of the other layouts of two ranks."""
    return _run_two(plan, [name for name in LAYOUTS if name not in FAST])


@pytest.fixture
def two_ranks(request, name):
    """Rows of the layouts that a test's own is among."""
    return request.getfixturevalue("fast" if name.removesuffix(" resumed") in FAST else "slow")


@pytest.fixture(scope="module")
def four_ranks(plan, one_rank):
    """Rows of every layout of four ranks."""
    layouts = {name: _spec(plan, name, kind, parallel) for name, (kind, parallel) in MIXES.items()}
    return _run(plan, layouts, ranks=4)


def _marked(names):
    return [
        pytest.param(name, marks=() if name.removesuffix(" resumed") in FAST else pytest.mark.slow) for name in names
    ]


@pytest.mark.parametrize("name", _marked(LAYOUTS))
def test_two_ranks_learn_what_one_learns(name, plan, one_rank, two_ranks):
    _check_learning(plan, one_rank, two_ranks, LAYOUTS[name][0], name)


@pytest.mark.slow
@pytest.mark.parametrize("name", MIXES)
def test_four_ranks_learn_what_one_learns(name, plan, one_rank, four_ranks):
    _check_learning(plan, one_rank, four_ranks, MIXES[name][0], name)


def _check_learning(plan, one_rank, many_ranks, kind, name):
    """Tensor by tensor: gradients of the first step before clipping, by the norm of the difference; weights of the last."""
    expected, actual = one_rank[kind]["rows"], many_ranks[name]["rows"]
    assert actual[0]["loss"] == pytest.approx(expected[0]["loss"], rel=FIRST_LOSS)
    assert [row["loss"] for row in actual] == pytest.approx([row["loss"] for row in expected], rel=LOSSES)
    assert [row.get("losses") for row in actual] == [
        pytest.approx(row["losses"], rel=LOSSES) if "losses" in row else None for row in expected
    ]
    assert [row["grad_norm"] for row in actual] == pytest.approx([row["grad_norm"] for row in expected], rel=1e-3)
    for count in ("tokens", "learned_tokens", "consumed_samples", "consumed_tokens", "learning_rate"):
        assert [row[count] for row in actual] == [row[count] for row in expected]
    one, many = (_read(plan, kind, each, "gradients") for each in (kind, name))
    assert one.keys() == many.keys()
    for tensor, value in one.items():
        assert value.norm() > 0, tensor
        assert (many[tensor] - value).norm() <= GRADIENTS * value.norm(), tensor
    one, many = (_read(plan, kind, each, "weights") for each in (kind, name))
    differences = {tensor: float((many[tensor] - value).abs().max()) for tensor, value in one.items()}
    assert max(differences.values()) <= WEIGHTS, differences


def test_learning_lowers_the_loss(one_rank):
    rows = one_rank["pretrain"]["rows"]
    assert rows[-1]["loss"] < 0.7 * rows[0]["loss"]


def test_the_loss_is_made_of_the_domains(one_rank):
    """A quarter of the samples is text; all tokens of pretraining are learned, so the mean is that of the samples."""
    for row in one_rank["pretrain"]["rows"]:
        parts = row["losses"]
        assert set(parts) == {"code", "replay text"}
        assert row["loss"] == pytest.approx(0.75 * parts["code"] + 0.25 * parts["replay text"], rel=1e-5)


@pytest.mark.parametrize("name", _marked(RESUMED))
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(name, two_ranks):
    unbroken, resumed = two_ranks[name]["rows"], two_ranks[f"{name} resumed"]["rows"]
    for value in ("step", "loss", "grad_norm", "consumed_tokens"):
        assert [row[value] for row in resumed] == [row[value] for row in unbroken[: len(resumed)]]


@pytest.mark.parametrize("name", _marked(RESHARDED))
def test_a_run_goes_on_in_another_layout(name, one_rank, two_ranks):
    expected, actual = one_rank[LAYOUTS[name][0]]["rows"], two_ranks[f"{name} resharded"]["rows"]
    assert [row["step"] for row in actual] == list(range(1, STEPS + 1))
    assert [row["loss"] for row in actual] == pytest.approx([row["loss"] for row in expected], rel=LOSSES)


@pytest.mark.parametrize("name", _marked([*LAYOUTS, *(f"{name} resumed" for name in RESUMED)]))
def test_the_optimizer_counts_steps_not_parameters(name, two_ranks):
    """A counter that is shared between parameters, as Megatron restores it, would be far above the number of steps."""
    assert two_ranks[name]["adam_steps"] == [two_ranks[name]["rows"][-1]["step"]]


def _read(plan, kind, name, what):
    """The whole tensors of a checkpoint that any number of ranks wrote."""
    model = build_trainer(ModelConfig.load(Path(_model(plan, kind))), PRETRAIN).model
    load_weights(Path(plan["folder"]) / f"{what} of {name}", model)
    return {tensor: value.detach().clone() for tensor, value in model.named_parameters()}


def _model(plan, kind):
    return plan["tall" if kind.startswith("tall") else "model"]


def _spec(plan, name, kind, parallel):
    folder = Path(plan["folder"])
    return {
        "gradients": str(folder / f"gradients of {name}"),
        "weights": str(folder / f"weights of {name}"),
        "kind": "fine_tune" if kind == "fine_tune" else "pretrain",
        "model": _model(plan, kind),
        "config": to_plain(CONFIGS[kind]),
        "parallel": parallel,
        "steps": STEPS,
    }


def _resumed(plan, spec, name):
    return {**spec, **RESUME, "folder": str(Path(plan["folder"]) / name), "gradients": None, "weights": None}


def _run_two(plan, names):
    layouts = {name: _spec(plan, name, *LAYOUTS[name]) for name in names}
    for name in RESUMED:
        if name in names:
            layouts[f"{name} resumed"] = _resumed(plan, layouts[name], name)
    for name, parallel in RESHARDED.items():
        if name in names:
            spec = _resumed(plan, layouts[name], f"{name} resharded")
            layouts[f"{name} resharded"] = {**spec, "steps": STEPS, "parallel_after": parallel}
    return _run(plan, layouts, ranks=2)


def _run(plan, layouts, *, ranks):
    folder = Path(plan["folder"])
    out, job = folder / f"rows of {ranks}, {len(layouts)}.json", folder / f"job of {ranks}.json"
    job.write_text(json.dumps({**plan, "layouts": layouts, "out": str(out)}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        Local(threads=1).run(
            "tests.specialize.layout_worker", [str(job)], ranks=ranks, log=folder / f"ranks of {ranks}.log"
        )
    return json.loads(out.read_text())
