"""The loop around the steps: spikes, stalls, held-out text, what is recorded and said."""

import json
import math
import os
import signal
import threading
import time
from dataclasses import replace

import pytest
import torch

from corpora.indexed import IndexedReader
from specialize import TrainingFailed, heartbeat, record, step
from specialize.checkpoint import Position, load_weights
from specialize.config import OnSpike, OptimizerConfig, ParallelConfig, Precision, PretrainConfig
from specialize.launch import Local
from specialize.step import evaluate, is_spike
from specialize.train import continue_pretraining, open_held_out
from specialize.trainer import build_trainer
from tests.specialize.conftest import MODEL, write_tokens
from tests.specialize.test_train import Here, rows_of

CONFIG = PretrainConfig(
    seq_length=32,
    global_batch_size=4,
    micro_batch_size=2,
    train_steps=12,
    max_epochs=4.0,
    optimizer=OptimizerConfig(learning_rate=5e-3),
    precision=Precision.FP32,
    checkpoint_interval=1000,
)
BYTES = 3000


@pytest.fixture(scope="module")
def heldout_code(tmp_path_factory):
    """Tokens of code, of which one file is held out."""
    folder = tmp_path_factory.mktemp("heldout")
    rows = []
    for name, split, seed in (("train", "train", 1), ("heldout", "heldout", 5)):
        write_tokens(folder, name, documents=100 if split == "train" else 12, seed=seed)
        (row,) = json.loads((folder / "index.json").read_text())["prefixes"]
        rows.append(row | {"split": split, "bytes": BYTES})
    (folder / "index.json").write_text(json.dumps({"prefixes": rows}))
    return folder


def train(out, base, code, text, config):
    out.mkdir()
    return continue_pretraining(out, code=code, text=text, base=base, config=config, launcher=Here())


def all_rows(out):
    return [json.loads(line) for line in (out / "progress.jsonl").read_text().splitlines()]


def spike_at(monkeypatch, steps):
    """Make the losses of these steps look like spikes."""
    real = step.is_spike
    monkeypatch.setattr(step, "is_spike", lambda config, at, loss: at.step + 1 in steps or real(config, at, loss))


def test_a_spike_is_far_above_the_median():
    recent = Position(step=40, recent_losses=(2.0,) * 16)
    assert not is_spike(CONFIG, recent, 3.9)
    assert is_spike(CONFIG, recent, 4.1)
    assert not is_spike(CONFIG, Position(recent_losses=(2.0,) * 15), 100.0), "too few losses to judge"
    with pytest.raises(FloatingPointError, match="step 41 has the loss 9, the last ones had 2, and there were 10"):
        is_spike(replace(CONFIG, on_spike=OnSpike.SKIP), replace(recent, spikes=10), 9.0)


def test_a_spike_that_is_skipped_changes_no_weight_and_the_data_goes_on(tmp_path, base, code, text, monkeypatch):
    config = replace(CONFIG, on_spike=OnSpike.SKIP, replay_fraction=0.0)
    train(tmp_path / "plain", base, code, text, config)
    spike_at(monkeypatch, {10})
    metrics = train(tmp_path / "skipped", base, code, text, config)
    plain, skipped = all_rows(tmp_path / "plain"), all_rows(tmp_path / "skipped")
    assert metrics["spikes"] == 1
    assert [row["step"] for row in skipped if "spike" in row] == [10]
    same = ("loss", "grad_norm", "consumed_tokens")
    assert [[row[name] for name in same] for row in skipped[:10]] == [
        [row[name] for name in same] for row in plain[:10]
    ]
    assert skipped[10]["loss"] != plain[10]["loss"]
    assert skipped[10]["consumed_samples"] == plain[10]["consumed_samples"]


@pytest.mark.parametrize("distributed", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_spike_rolls_back_and_a_resumed_run_agrees(tmp_path, base, code, text, monkeypatch, distributed):
    """The step after the spike has the weights of the last checkpoint and the samples behind the spike."""
    config = replace(
        CONFIG,
        on_spike=OnSpike.ROLL_BACK,
        train_steps=30,
        checkpoint_interval=8,
        parallel=ParallelConfig(distributed_optimizer=distributed),
    )
    spike_at(monkeypatch, {2, 11})
    train(tmp_path / "whole", base, code, text, config)
    rows = all_rows(tmp_path / "whole")
    assert [(row["step"], row["rolled_back_to"]) for row in rows if "spike" in row] == [(2, 0), (11, 8)]
    assert [row["step"] for row in rows] == list(range(1, 31))
    broken = tmp_path / "broken"
    stop = threading.Thread(target=stop_after, args=(broken, 13), daemon=True)
    stop.start()
    with pytest.raises(SystemExit):
        train(broken, base, code, text, config)
    stop.join()
    assert 13 <= len(all_rows(broken)) < 30
    continue_pretraining(broken, code=code, text=text, base=base, config=config, launcher=Here())
    assert rows_of(broken) == rows_of(tmp_path / "whole")


def stop_after(folder, rows):
    path = folder / "progress.jsonl"
    while not path.exists() or path.read_text().count("\n") < rows:
        time.sleep(0.002)
    os.kill(os.getpid(), signal.SIGTERM)


def test_held_out_text_is_measured_recorded_and_the_best_is_kept(tmp_path, base, heldout_code, text, capsys):
    config = replace(CONFIG, replay_fraction=0.0, evaluation_interval=3, evaluation_samples=4, keep_best=True)
    metrics = train(tmp_path / "run", base, heldout_code, text, config)
    rows = all_rows(tmp_path / "run")
    measured = {row["step"]: row["heldout"]["code"] for row in rows if "heldout" in row}
    assert list(measured) == [3, 6, 9, 12]
    assert metrics["heldout_bits_per_byte"] == {"code": measured[12]}
    best = min(measured, key=measured.get)
    assert [path.name for path in (tmp_path / "run" / "steps").iterdir()] == [f"step-{best:09d}"]
    said = capsys.readouterr().out
    assert f"held-out bits per byte: code {measured[12]:.4f}" in said
    assert "attention: CoreAttention by blocks of query rows, merged documents, on cpu" in said
    assert "memory a rank, by estimate: " in said


def test_bits_per_byte_are_those_of_the_samples(base, heldout_code, text):
    """Against the model's own losses on the same tokens; a second measurement gives the same."""
    config = replace(CONFIG, replay_fraction=0.0, evaluation_interval=1, evaluation_samples=3, dropout=0.5)
    held_out = open_held_out({"code": str(heldout_code), "text": str(text)}, config)
    trainer = build_trainer(MODEL, config)
    load_weights(base, trainer.model)
    found = evaluate(trainer, held_out)
    assert found == evaluate(trainer, held_out)
    assert trainer.model.training
    trainer.model.eval()
    nats = count = 0
    for position in held_out.samples_of(0):
        tokens = torch.from_numpy(held_out.sample(position).tokens.astype("int64"))[None]
        places = torch.arange(32)[None]
        losses = trainer.model(tokens[:, :-1], places, None, labels=tokens[:, 1:], loss_mask=torch.ones(1, 32))
        nats, count = nats + float(losses.sum().detach()), count + 32
    tokens_in_all = int(IndexedReader(heldout_code / "heldout").sequence_lengths.sum())
    assert found["code"] == pytest.approx(nats / count / math.log(2) * tokens_in_all / BYTES, rel=1e-5)


def test_no_held_out_text_is_said_before_training(tmp_path, base, code, text):
    config = replace(CONFIG, evaluation_interval=5)
    with pytest.raises(ValueError, match="less than one held-out sample of 32 tokens of code: hold out more"):
        continue_pretraining(tmp_path, code=code, text=text, base=base, config=config, launcher=None)


def test_weights_of_languages_that_are_not_there_are_refused(tmp_path, base, code, text):
    config = replace(CONFIG, weights=(("Cobol", 1.0),))
    with pytest.raises(ValueError, match=r"weights name Cobol, and .* has none of them: it has Python"):
        continue_pretraining(tmp_path, code=code, text=text, base=base, config=config, launcher=None)


def test_tensorboard_has_the_rows(tmp_path, base, code, text):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(tmp_path / "run", base, code, text, CONFIG)
    board = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    rows = all_rows(tmp_path / "run")
    for tag, values in {
        "loss": [row["loss"] for row in rows],
        "losses/code": [row["losses"]["code"] for row in rows],
        "memory_bytes": [row["memory_bytes"] for row in rows],
    }.items():
        events = board.Scalars(tag)
        assert [event.step for event in events] == list(range(1, 13))
        assert [event.value for event in events] == pytest.approx(values, rel=1e-6)
    assert all(row["flops_per_second"] > 0 and "mfu" not in row for row in rows), "the peak of a CPU is not known"


def test_a_torn_row_is_dropped(tmp_path):
    path = tmp_path / "progress.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    record.truncate(path, 2)
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'


SIGN = {"pulse": 1, "count": 7, "doing": "in micro-batch 3", "pid": 11, "host": "n1"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            [SIGN, SIGN],
            [SIGN | {"pulse": 2}, SIGN],
            "rank 1 (process 11 on n1, last in micro-batch 3) shows no sign of life",
        ),
        (
            [SIGN, SIGN | {"count": 5}],
            [SIGN | {"pulse": 2}, SIGN | {"pulse": 2, "count": 5}],
            "the others wait for rank 1 (process 11 on n1",
        ),
        ([SIGN, SIGN], [SIGN | {"pulse": 2}] * 2, "all ranks are in micro-batch 3; rank 0 got no further for 5 s"),
        ([SIGN, {}], [SIGN | {"pulse": 2}, {}], "rank 1 (never seen) shows no sign of life"),
    ],
)
def test_the_rank_that_is_waited_for_is_named(before, after, expected):
    assert expected in heartbeat.message(before, after, own=0, limit=5)


def test_a_stopped_rank_is_named_and_ends_the_run(tmp_path, base, code, text):
    """Two real ranks; one is stopped by a signal, as a machine that hangs would be."""
    config = replace(
        CONFIG, train_steps=100, stall_seconds=2.0, parallel=ParallelConfig(data_parallel=2), max_epochs=99.0
    )
    stopped = threading.Thread(target=stop_rank, args=(tmp_path, 1), daemon=True)
    stopped.start()
    with pytest.raises(TrainingFailed, match=r"training stalled: rank 1 \(process \d+ on .*\) shows no sign of life"):
        continue_pretraining(tmp_path, code=code, text=text, base=base, config=config, launcher=Local(threads=1))


def stop_rank(folder, rank):
    """Stop the process that a rank's sign of life names, once training goes on."""
    record, sign = folder / "progress.jsonl", folder / "steps" / heartbeat.FOLDER / f"{rank}.json"
    while not record.exists() or record.read_text().count("\n") < 3:
        time.sleep(0.01)
    os.kill(json.loads(sign.read_text())["pid"], signal.SIGSTOP)
