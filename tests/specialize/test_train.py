"""The two stages, from token files and packs to weights; killed on the way and finished."""

import json
import os
import re
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from specialize import SAVED_AND_STOPPED, TrainingFailed
from specialize.config import FineTuneConfig, ModelConfig, OptimizerConfig, Precision, PretrainConfig
from specialize.launch import Local
from specialize.train import continue_pretraining, fine_tune, open_data

OPTIMIZER = OptimizerConfig(learning_rate=5e-3)
PRETRAIN = PretrainConfig(
    seq_length=64,
    global_batch_size=4,
    micro_batch_size=2,
    train_steps=40,
    max_epochs=4.0,
    optimizer=OPTIMIZER,
    precision=Precision.FP32,
    dropout=0.1,
    checkpoint_interval=4,
)
FINE_TUNE = FineTuneConfig(
    seq_length=64,
    global_batch_size=16,
    epochs=1,
    optimizer=OPTIMIZER,
    precision=Precision.FP32,
)
SAME = ("step", "loss", "learning_rate", "grad_norm", "tokens", "learned_tokens", "consumed_samples", "consumed_tokens")


def rows_of(folder):
    """The rows of progress.jsonl, without what a clock says."""
    rows = [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]
    return [{name: row[name] for name in SAME} for row in rows]


class Here:
    """A launcher that trains in this process."""

    def run(self, module, arguments, *, ranks, log):
        from specialize.train import main

        assert (module, ranks) == ("specialize.train", 1)
        log.touch()
        main(arguments)


def wait_for_row(folder, step):
    record = folder / "progress.jsonl"
    while not record.exists() or len(record.read_text().splitlines()) < step:
        time.sleep(0.002)


def kill_after(folder, step):
    """Kill the training rank as soon as it has written the row of a step."""

    def watch():
        wait_for_row(folder, step)
        children = Path(f"/proc/{os.getpid()}/task/{main}/children").read_text().split()
        for child in children:
            if b"specialize.train" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)

    main = threading.get_native_id()
    threading.Thread(target=watch, daemon=True).start()


def test_a_run_killed_and_resumed_equals_an_unbroken_one(tmp_path, base, code, text, capsys):
    """Dropout included; the row of each step is there once; the weights are the same bytes."""
    killed, unbroken = tmp_path / "killed", tmp_path / "unbroken"
    killed.mkdir()
    unbroken.mkdir()
    inputs = {"code": code, "text": text, "base": base, "config": PRETRAIN}
    kill_after(killed, 10)
    with pytest.raises(TrainingFailed, match="was killed by SIGKILL"):
        continue_pretraining(killed, **inputs, launcher=Local(threads=1))
    before = rows_of(killed)
    assert 10 <= len(before) < PRETRAIN.train_steps
    torch.set_num_threads(1)  # as the killed process: sums depend on the number of threads
    metrics = continue_pretraining(killed, **inputs, launcher=Here())
    (resumed_from,) = re.findall(r"training from step (\d+) to 40", capsys.readouterr().out)
    assert 4 <= int(resumed_from) <= len(before)
    assert continue_pretraining(unbroken, **inputs, launcher=Here()) == metrics
    assert rows_of(killed) == rows_of(unbroken)
    weights = [sorted((folder / "checkpoint").glob("*.distcp")) for folder in (killed, unbroken)]
    assert [path.read_bytes() for path in weights[0]] == [path.read_bytes() for path in weights[1]]
    assert [row["step"] for row in rows_of(killed)] == list(range(1, 41))
    names = {"checkpoint", "model.json", "tokenizer", "progress.jsonl", "tensorboard", "train.log"}
    assert {path.name for path in killed.iterdir()} == names
    assert ModelConfig.load(killed) == ModelConfig.load(base)
    assert metrics["last_loss"] < metrics["first_loss"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_run_told_to_stop_saves_the_step_it_is_at(tmp_path, base, code, text, capsys, number):
    stopped, unbroken = tmp_path / "stopped", tmp_path / "unbroken"
    stopped.mkdir()
    unbroken.mkdir()
    config = replace(PRETRAIN, checkpoint_interval=1000, train_steps=20)
    inputs = {"code": code, "text": text, "base": base, "config": config, "launcher": Here()}

    def tell():
        wait_for_row(stopped, 5)
        os.kill(os.getpid(), number)

    handler = signal.getsignal(number)
    threading.Thread(target=tell, daemon=True).start()
    with pytest.raises(SystemExit) as exit_:
        continue_pretraining(stopped, **inputs)
    assert exit_.value.code == SAVED_AND_STOPPED
    assert signal.getsignal(number) is handler
    steps = len(rows_of(stopped))
    assert 5 <= steps < 20
    metrics = continue_pretraining(stopped, **inputs)
    assert f"training from step {steps} to 20" in capsys.readouterr().out
    assert continue_pretraining(unbroken, **inputs) == metrics
    assert rows_of(stopped) == rows_of(unbroken)


def test_fine_tuning_learns_from_a_trained_folder(tmp_path, base, packs):
    metrics = fine_tune(tmp_path, model=base, packs=packs, config=FINE_TUNE, launcher=Here())
    rows = rows_of(tmp_path)
    assert metrics["steps"] == len(rows)
    assert metrics["learned_tokens"] == sum(row["learned_tokens"] for row in rows)
    assert 0.8 < metrics["epochs"] <= 1
    assert fine_tune(tmp_path, model=base, packs=packs, config=FINE_TUNE, launcher=None) == metrics


def test_recomputation_changes_nothing(tmp_path, base, packs):
    """Dropout draws the same numbers in the second forward pass."""
    results = []
    for name, config in (("kept", FINE_TUNE), ("recomputed", replace(FINE_TUNE, recompute=True))):
        (tmp_path / name).mkdir()
        fine_tune(tmp_path / name, model=base, packs=packs, config=config, launcher=Here())
        results.append([row["loss"] for row in rows_of(tmp_path / name)])
    assert results[0] == pytest.approx(results[1], rel=1e-6)


@pytest.mark.parametrize("precision", [Precision.BF16, Precision.BF16_AUTOCAST])
def test_low_precision_follows_full_precision(tmp_path, base, packs, precision):
    results = []
    for name, kind in (("full", Precision.FP32), ("low", precision)):
        (tmp_path / name).mkdir()
        config = replace(FINE_TUNE, precision=kind, dropout=0.0)
        fine_tune(tmp_path / name, model=base, packs=packs, config=config, launcher=Here())
        results.append([row["loss"] for row in rows_of(tmp_path / name)])
    assert results[1] == pytest.approx(results[0], rel=0.02)
    assert results[1] != results[0]


def test_too_little_data_starts_no_rank(tmp_path, base, code, text):
    config = replace(PRETRAIN, train_steps=100_000)
    with pytest.raises(ValueError, match="above max_epochs 4"):
        continue_pretraining(tmp_path, code=code, text=text, base=base, config=config, launcher=None)
    assert not list(tmp_path.iterdir())


def test_heldout_tokens_are_not_read(tmp_path, code, text):
    index = json.loads((code / "index.json").read_text())
    heldout = {**index["prefixes"][0], "name": "no_such_file", "split": "heldout"}
    (tmp_path / "index.json").write_text(json.dumps({"prefixes": [*index["prefixes"], heldout]}))
    for suffix in (".bin", ".idx"):
        (tmp_path / f"code_python_train{suffix}").symlink_to(code / f"code_python_train{suffix}")
    assert open_data({"code": str(tmp_path), "text": str(text)}, PRETRAIN).train_steps == 40
