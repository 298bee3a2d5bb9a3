"""Against an implementation that shares no code with ours: transformers' model, torch's AdamW, the schedule as a formula.

The reference gets the weights in Hugging Face's names and builds its own batches from the samples: rows for pretraining, each
conversation in a row of its own for fine-tuning; the loss is the sum over learned tokens over their number. FP32, no dropout.
"""

import math
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from specialize import convert
from specialize.checkpoint import Position, load_weights, unwrapped
from specialize.config import FineTuneConfig, OptimizerConfig, Precision, PretrainConfig, Schedule
from specialize.families import hugging_face_config
from specialize.step import advance, train_step
from specialize.train import open_data
from specialize.trainer import build_trainer
from tests.specialize.conftest import MODEL

STEPS, PEAK, WARM_UP = 50, 2e-3, 5
UNUSED = 127
"""A token that no sample has: transformers learns nothing of the embedding of its padding token."""
SHARED = {
    "optimizer": OptimizerConfig(learning_rate=PEAK),
    "precision": Precision.FP32,
    "train_steps": STEPS,
    "warmup_fraction": WARM_UP / STEPS,
    "max_epochs": 20.0,
    "dropout": 0.0,
}
PRETRAIN = PretrainConfig(
    seq_length=32, global_batch_size=4, micro_batch_size=2, schedule=Schedule.COSINE, replay_fraction=0.25, **SHARED
)
FINE_TUNE = FineTuneConfig(seq_length=64, global_batch_size=9, **SHARED)


def cosine_to_a_tenth(step):
    if step <= WARM_UP:
        return PEAK * step / WARM_UP
    return 0.1 * PEAK + 0.9 * PEAK * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / (STEPS - WARM_UP)))


def cosine_ramp(step):
    return PEAK * 0.5 * (1 - math.cos(math.pi * min(step, WARM_UP) / WARM_UP))


CASES = {"pretraining": (PRETRAIN, cosine_to_a_tenth), "fine-tuning": (FINE_TUNE, cosine_ramp)}


@pytest.fixture(scope="module", params=CASES)
def both(request, base, code, text, packs):
    """Rows and first gradients of ours and of the reference, on the same samples."""
    config, rate = CASES[request.param]
    data = open_data({"code": str(code), "text": str(text), "packs": str(packs)}, config)
    trainer = build_trainer(MODEL, config)
    load_weights(Path(base), trainer.model)
    trainer.optimizer.reload_model_params()
    reference = hugging_face_model(convert.model_state(unwrapped(trainer.model)))
    ours, gradients, position = [], None, Position()
    for _ in range(STEPS):
        with first_gradients(trainer) as found:
            ours.append(train_step(trainer, data, position))
        gradients = gradients or found
        position = advance(position, ours[-1])
    theirs, their_gradients = train_reference(reference, data, rate)
    return SimpleNamespace(ours=ours, theirs=theirs, gradients=gradients, their_gradients=their_gradients)


def hugging_face_model(state):
    transformers = pytest.importorskip("transformers")
    config = transformers.Qwen2Config(**hugging_face_config(MODEL, dtype="float32", eos=1, pad=UNUSED))
    model = transformers.Qwen2ForCausalLM(config)
    weights = dict(convert.to_hugging_face(state, MODEL))
    missing, unexpected = model.load_state_dict({name: value.clone() for name, value in weights.items()}, strict=False)
    assert set(missing) <= {"lm_head.weight"}
    assert not unexpected
    return model.train()


class first_gradients:
    """Copy the summed gradients when the optimizer is about to step, in Hugging Face's names."""

    def __init__(self, trainer):
        self._optimizer, self._model, self._found = trainer.optimizer, trainer.model, {}

    def __enter__(self):
        self._step = self._optimizer.step
        self._optimizer.step = self._copy_and_step
        return self._found

    def __exit__(self, *_):
        self._optimizer.step = self._step

    def _copy_and_step(self):
        named = unwrapped(self._model).named_parameters()
        gradients = {name: parameter.main_grad.clone() for name, parameter in named}
        self._found.update(dict(convert.to_hugging_face(gradients, MODEL)))
        return self._step()


def train_reference(model, data, rate):
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), eps=1e-8)
    rows, first = [], None
    for step in range(STEPS):
        found = [piece for position in data.samples_of(step) for piece in pieces(data, data.sample(position))]
        tokens_BT, mask_BT = (pad_sequence(parts, batch_first=True) for parts in zip(*found, strict=True))
        logits_BTV = model(tokens_BT[:, :-1]).logits  # padding is at the end, where a causal model does not look
        losses_BT = cross_entropy(logits_BTV.transpose(1, 2), tokens_BT[:, 1:], reduction="none")
        learned = int(mask_BT[:, 1:].sum())
        loss = (losses_BT * mask_BT[:, 1:]).sum() / learned
        optimizer.zero_grad()
        loss.backward()
        first = first or {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate(step + 1)
        optimizer.step()
        rows.append(
            {
                "loss": float(loss.detach()),
                "grad_norm": float(norm),
                "learning_rate": rate(step + 1),
                "learned_tokens": learned,
            }
        )
    return rows, first


def pieces(data, sample):
    """The documents that see each other: a row of pretraining is one, conversations of a pack are each one."""
    bounds = [0, len(sample.tokens)] if len(data.domains) > 1 else [*map(int, sample.starts), len(sample.tokens)]
    for low, high in pairwise(bounds):
        yield torch.from_numpy(sample.tokens[low:high].astype("int64")), torch.from_numpy(sample.mask[low:high])


def column(rows, name):
    return [row[name] for row in rows]


def test_the_first_loss_is_the_references(both):
    assert both.ours[0]["loss"] == pytest.approx(both.theirs[0]["loss"], rel=1e-6)


def test_every_first_gradient_is_the_references(both):
    assert both.gradients.keys() <= both.their_gradients.keys()
    for name, expected in both.their_gradients.items():
        assert expected.norm() > 0, name
        assert (both.gradients[name] - expected).norm() <= 1e-5 * expected.norm(), name


def test_the_learning_rate_is_the_formula(both):
    assert column(both.ours, "learning_rate") == pytest.approx(column(both.theirs, "learning_rate"), rel=1e-15)


def test_fifty_losses_are_the_references(both):
    assert len(both.ours) == STEPS
    assert column(both.ours, "learned_tokens") == column(both.theirs, "learned_tokens")
    assert column(both.ours, "loss") == pytest.approx(column(both.theirs, "loss"), abs=1e-3)
    assert both.ours[-1]["loss"] < 0.95 * both.ours[0]["loss"]


def test_clipping_is_at_work(both):
    """Norms are of before clipping; some are above its bound, so that a loop which did not clip would be found out."""
    norms = column(both.theirs, "grad_norm")
    assert max(norms) > 1
    assert column(both.ours, "grad_norm") == pytest.approx(norms, rel=1e-2)
