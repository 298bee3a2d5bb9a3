"""Continued pretraining and fine-tuning as stages, and `python -m specialize.train job.json`, which each rank runs.

Guarantees: data that is too small for the config, and a layout that model or machine cannot carry, are refused before a rank
is started; what was killed continues from its newest checkpoint; the output folder has checkpoint/, model.json, tokenizer/,
progress.jsonl, tensorboard/ and train.log, and steps/ where the config keeps checkpoints for good.
The stage functions load no torch: ranks are processes of their own. Source: QWEN report 4.1 (continued
pretraining), 4.2 and 5 (fine-tuning).
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize import TrainingFailed, preflight, retention
from specialize.config import FineTuneConfig, ModelConfig, PretrainConfig, TrainConfig, from_plain, to_plain
from specialize.launch import Local
from specialize.record import PROGRESS
from specialize.retention import CHECKPOINT, STEPS

if TYPE_CHECKING:
    from specialize.data import Data
    from specialize.heldout import HeldOut
    from specialize.launch import Launcher

CODE, TEXT = "code", "replay text"
"""Domains of pretraining."""
_KINDS = {"continue_pretraining": PretrainConfig, "fine_tune": FineTuneConfig}


def continue_pretraining(
    out: Path, *, code: Path, text: Path, base: Path, config: PretrainConfig, launcher: Launcher
) -> dict[str, object]:
    """Train a base further on code with a share of replay text."""
    job = {"kind": "continue_pretraining", "code": str(code), "text": str(text), "model": str(base)}
    return _run(out, job, config, launcher)


def fine_tune(out: Path, *, model: Path, packs: Path, config: FineTuneConfig, launcher: Launcher) -> dict[str, object]:
    """Teach a model to answer, from packs of conversations."""
    return _run(out, {"kind": "fine_tune", "packs": str(packs), "model": str(model)}, config, launcher)


def _run(out: Path, job: dict[str, str], config: TrainConfig, launcher: Launcher) -> dict[str, object]:
    model = Path(job["model"])
    data, shape = open_data(job, config), ModelConfig.load(model)
    open_held_out(job, config)
    preflight.check(shape, config)
    if isinstance(launcher, Local):
        preflight.check_memory(shape, config)
    shape = dataclasses.replace(shape, max_position_embeddings=max(shape.max_position_embeddings, config.seq_length))
    if not (out / CHECKPOINT).exists():
        path = out / STEPS / "job.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({**job, "out": str(out), "config": to_plain(config)}, indent=1))
        launcher.run("specialize.train", [str(path)], ranks=config.parallel.ranks, log=out / "train.log")
        if not (out / CHECKPOINT).exists():
            raise TrainingFailed(f"all ranks ended well but {out / CHECKPOINT} is not there; see {out / 'train.log'}")
    shutil.copytree(model / "tokenizer", out / "tokenizer", dirs_exist_ok=True)
    shape.save(out)
    retention.remove_passing(out / STEPS, config)
    return _metrics(out / PROGRESS, data)


def open_data(job: dict[str, str], config: TrainConfig) -> Data:
    """Open the training set of a job; too little data raises ValueError with the figures."""
    from specialize.data import Domain, PackData, PretrainData, read_prefixes

    if isinstance(config, PretrainConfig):
        replay, code = config.replay_fraction, read_prefixes(Path(job["code"]))
        weights = dict(config.weights)
        if weights and not weights.keys() & code.keys():
            raise ValueError(
                f"PretrainConfig.weights name {', '.join(weights)}, and {job['code']} has none of them: "
                f"it has {', '.join(code) or 'no tokens'}"
            )
        domains = [Domain(CODE, 1 - replay, code, weights), Domain(TEXT, replay, read_prefixes(Path(job["text"])))]
        return PretrainData(domains, config)
    if isinstance(config, FineTuneConfig):
        return PackData(Path(job["packs"]), config)
    raise TypeError(f"no training set for a {type(config).__name__}")


def open_held_out(job: dict[str, str], config: TrainConfig) -> HeldOut | None:
    """Open the held-out text that a job evaluates; None where it evaluates none."""
    from specialize.heldout import HeldOut

    if not isinstance(config, PretrainConfig) or not config.evaluation_interval:
        return None
    replay = config.replay_fraction
    shares = {CODE: (Path(job["code"]), 1 - replay), TEXT: (Path(job["text"]), replay)}
    return HeldOut({name: part for name, part in shares.items() if part[1] > 0}, config)


def _metrics(path: Path, data: Data) -> dict[str, object]:
    """Sum up a training; the last loss is the mean of the last tenth of the steps, since one step is noise."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in path.read_text().splitlines()]
    tail = rows[-max(1, len(rows) // 10) :]
    return {
        "steps": len(rows),
        "samples": rows[-1]["consumed_samples"],
        "tokens": rows[-1]["consumed_tokens"],
        "learned_tokens": sum(row["learned_tokens"] for row in rows),
        "epochs": round(data.epochs, 4),
        "epochs_of": {name: round(epochs, 4) for name, epochs in data.epochs_of.items()},
        "first_loss": round(rows[0]["loss"], 6),
        "last_loss": round(sum(row["loss"] for row in tail) / len(tail), 6),
        **_only_if(spikes=sum("spike" in row for row in rows)),
        **_only_if(heldout_bits_per_byte=rows[-1].get("heldout")),
    }


def _only_if(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value}


def main(arguments: list[str]) -> int:
    """Train as one rank of the job in the given file."""
    from specialize.device import end_with_launcher, quiet_imports

    end_with_launcher()
    quiet_imports()
    from specialize.loop import train

    job = json.loads(Path(arguments[0]).read_text())
    kind: type[TrainConfig] = _KINDS[job["kind"]]
    config = from_plain(kind, job["config"])
    data, held_out = open_data(job, config), open_held_out(job, config)
    train(Path(job["out"]), model=Path(job["model"]), data=data, config=config, held_out=held_out)
    return 0


if __name__ == "__main__":  # dist_checkpointing starts processes of its own, which import this module
    sys.exit(main(sys.argv[1:]))
