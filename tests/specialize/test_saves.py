"""Checkpoints of a running training: written in the background, checked, kept by policy; damage and a full disk survived."""

import json
import resource
import time
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch

from specialize import retention
from specialize.checkpoint import Position, load_weights
from specialize.config import OptimizerConfig, ParallelConfig, Precision, PretrainConfig
from specialize.saves import Saves
from specialize.step import advance, train_step
from specialize.train import open_data
from specialize.trainer import build_trainer
from tests.specialize.conftest import MODEL

CONFIG = PretrainConfig(
    seq_length=32,
    global_batch_size=2,
    train_steps=20,
    max_epochs=4.0,
    optimizer=OptimizerConfig(learning_rate=5e-3),
    precision=Precision.FP32,
    checkpoint_interval=1,
)


class Run:
    """A training whose steps and checkpoints a test decides."""

    def __init__(self, folder, base, data, config=CONFIG):
        self.trainer, self.data, self.position = build_trainer(MODEL, config), data, Position()
        load_weights(base, self.trainer.model)
        self.trainer.optimizer.reload_model_params()
        self.saves = Saves(folder, self.trainer.model, self.trainer.optimizer, config)

    def step(self):
        row = train_step(self.trainer, self.data, self.position)
        self.position = advance(self.position, row)
        return row["loss"]

    def weights(self):
        return {name: value.detach().clone() for name, value in self.trainer.model.named_parameters()}


@pytest.fixture
def run(tmp_path, base, code, text):
    data = open_data({"code": str(code), "text": str(text)}, CONFIG)
    return lambda **changes: Run(tmp_path, base, data, replace(CONFIG, **changes))


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_a_checkpoint_of_the_background_is_of_its_moment(run):
    """Training goes on over the weights while they are written; what is restored is what they were."""
    trained = run()
    trained.step()
    trained.saves.save(trained.position, in_background=True)
    then = trained.weights()
    losses = [trained.step() for _ in range(3)]
    assert not same(then, trained.weights())
    trained.saves.wait()
    again = run()
    again.position = again.saves.load_newest()
    assert again.position.step == 1
    assert same(then, again.weights())
    assert [again.step() for _ in range(3)] == losses


def test_a_checkpoint_is_completed_when_it_is_polled(run, tmp_path):
    trained = run()
    trained.saves.save(trained.position, in_background=True)
    assert not retention.steps_in(tmp_path)
    end = time.monotonic() + 60
    while not retention.steps_in(tmp_path):
        assert time.monotonic() < end
        trained.saves.poll()
        time.sleep(0.01)


def shorten(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("pattern", "damage", "message"),
    [
        ("*_0.distcp", shorten, "__0_0.distcp has"),
        ("*_0.distcp", flip, "__0_0.distcp has other bytes than were written"),
        (".metadata", flip, ".metadata has other bytes"),
        ("common.pt", lambda path: path.unlink(), "common.pt has no bytes"),
        ("sums.json", shorten, "sums.json is missing or torn"),
    ],
)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(run, tmp_path, capsys, pattern, damage, message):
    trained = run()
    weights = []
    for _ in range(2):
        trained.step()
        trained.saves.save(trained.position)
        weights.append(trained.weights())
    (damaged,) = (tmp_path / "step-000000002").glob(pattern)
    damage(damaged)
    again = run()
    assert again.saves.load_newest().step == 1
    assert same(weights[0], again.weights())
    said = capsys.readouterr().out
    assert message in said
    assert "step-000000002.damaged" in said
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["step-000000001", "step-000000002.damaged"]


def test_when_all_are_damaged_training_begins_anew(run, tmp_path, capsys):
    trained = run()
    trained.saves.save(Position(step=3))
    flip(tmp_path / "step-000000003" / ".metadata")
    assert run().saves.load_newest() == Position()
    assert "set aside" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, [5, 6]),
        ({"keep_last": 1}, [6]),
        ({"keep_last": 1, "keep_every": 2}, [2, 4, 6]),
        ({"keep_last": 1, "keep_best": True, "evaluation_interval": 1}, [3, 6]),
        ({"keep_last": 3, "keep_best": True, "evaluation_interval": 1, "keep_every": 5}, [3, 4, 5, 6]),
    ],
)
def test_checkpoints_are_kept_by_policy(run, tmp_path, policy, expected):
    trained = run(**policy)
    for step, bits in enumerate([3.0, 2.0, 1.0, 1.0, 1.5, 2.0], start=1):
        trained.saves.save(Position(step=step), bits_per_byte=bits)
    assert [int(path.name[5:]) for path in retention.steps_in(tmp_path)] == expected


def test_at_the_end_only_the_lasting_ones_stay(run, tmp_path):
    trained = run(keep_every=2)
    for step in range(1, 4):
        trained.saves.save(Position(step=step))
    (tmp_path / "job.json").write_text("{}")
    retention.remove_passing(tmp_path, replace(CONFIG, keep_every=2))
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000002"]
    retention.remove_passing(tmp_path, CONFIG)
    assert not tmp_path.exists()


def test_a_disk_without_room_costs_a_checkpoint_not_the_run(run, tmp_path, capsys, monkeypatch):
    trained = run()
    trained.step()
    trained.saves.save(trained.position)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    losses = [trained.step()]
    trained.saves.save(trained.position, in_background=True)
    losses.append(trained.step())
    said = capsys.readouterr().out
    assert "no checkpoint at step 2" in said
    assert "is short of" in said
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001"]
    monkeypatch.undo()
    trained.saves.save(trained.position)
    assert run().saves.load_newest().step == 3
    assert all(torch.isfinite(torch.tensor(losses)))


@contextmanager
def largest_file(size):
    """Let the kernel refuse what a full disk would: writes beyond a size, in this process and those it forks."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("in_background", [False, True])
@pytest.mark.parametrize("size", [100, 30_000], ids=["common part", "tensors"])
def test_a_write_that_fails_leaves_nothing_and_the_run_goes_on(run, tmp_path, capsys, size, in_background):
    trained, unbroken = run(), run()
    for each in (trained, unbroken):
        each.step()
    with largest_file(size):
        trained.saves.save(trained.position, in_background=in_background)
        trained.saves.wait()
    assert "no checkpoint at step-000000001" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    assert [trained.step() for _ in range(2)] == [unbroken.step() for _ in range(2)]
    trained.saves.save(trained.position, in_background=in_background)
    trained.saves.wait()
    assert run().saves.load_newest().step == 3


def test_sums_name_every_file(run, tmp_path):
    trained = run()
    trained.saves.save(trained.position, bits_per_byte=0.5)
    folder = tmp_path / "step-000000000"
    sums = json.loads((folder / "sums.json").read_text())
    assert set(sums["files"]) == {path.name for path in folder.iterdir()} - {"sums.json"}
    assert retention.best_step(tmp_path) == (0.5, folder)


def test_the_other_kind_of_optimizer_is_refused(run):
    trained = run()
    trained.saves.save(Position(step=1))
    other = run(parallel=ParallelConfig(distributed_optimizer=True))
    with pytest.raises(ValueError, match="written with distributed_optimizer False and the config says True"):
        other.saves.load_newest()


def test_steps_are_in_order_and_whole(tmp_path):
    for name in ("step-000000010", "step-000000009", "step-000000011.partial", "step-000000012.damaged"):
        (tmp_path / name).mkdir()
    names = [path.name for path in retention.steps_in(tmp_path)]
    assert names == ["step-000000009", "step-000000010"]
    assert all(one < other for one, other in pairwise(names))
