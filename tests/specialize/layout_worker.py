"""What every rank of the multi-rank tests runs: one process start for all layouts."""

import json
import sys
from dataclasses import replace
from pathlib import Path


def run_layout(spec, config, after, data):
    """Train from the base's weights under one layout; return the rows of all steps and AdamW's counters.

    The gradients of the first step, summed over the ranks and before they are clipped, become a checkpoint; so do the last
    weights. Where a run is broken off and resumed, it goes on under the config `after`.
    """
    from specialize.checkpoint import Position, load_weights, only_optimizer, save_weights
    from specialize.config import ModelConfig
    from specialize.saves import Saves
    from specialize.step import advance, train_step
    from specialize.trainer import build_trainer, gather_weights

    base = Path(spec["model"])

    def fresh(config):
        trainer = build_trainer(ModelConfig.load(base), config)
        load_weights(base, trainer.model)
        trainer.optimizer.reload_model_params()
        return trainer

    trainer, position, rows = fresh(config), Position(), []
    if spec["gradients"]:
        _save_first_gradients(trainer, Path(spec["gradients"]))
    for _ in range(spec["steps"]):
        if position.step and position.step == spec.get("resume_at"):
            gather_weights(trainer)
            Saves(Path(spec["folder"]), trainer.model, trainer.optimizer, config).save(position)
            trainer = fresh(after)
            position = Saves(Path(spec["folder"]), trainer.model, trainer.optimizer, after).load_newest()
        rows.append(train_step(trainer, data, position))
        position = advance(position, rows[-1])
    if spec["weights"]:
        gather_weights(trainer)
        save_weights(Path(spec["weights"]), trainer.model)
    counters = {float(state["step"]) for state in only_optimizer(trainer.optimizer).optimizer.state.values()}
    return {"rows": rows, "adam_steps": sorted(counters)}


def _save_first_gradients(trainer, folder):
    """When the optimizer is about to take its first step, write the gradients as if they were the weights."""
    import torch

    from specialize.checkpoint import save_weights

    step = trainer.optimizer.step

    def save_and_step():
        for chunk in trainer.chunks:
            _gather_sharded_gradients(chunk)
        parameters = [parameter for chunk in trainer.chunks for parameter in chunk.parameters()]
        weights = [parameter.detach().clone() for parameter in parameters]
        with torch.no_grad():
            for parameter in parameters:
                parameter.copy_(parameter.main_grad)
            save_weights(folder, trainer.model)
            for parameter, weight in zip(parameters, weights, strict=True):
                parameter.copy_(weight)
        trainer.optimizer.step = step
        return step()

    trainer.optimizer.step = save_and_step


def _gather_sharded_gradients(model):
    """The distributed optimizer leaves each data-parallel rank with the sums of its own slice only."""
    import torch.distributed

    if not model.ddp_config.use_distributed_optimizer:
        return
    group = model.dp_cp_group
    for buffer in model.buffers:
        for bucket in buffer.buckets:
            slices = bucket.grad_data.chunk(group.size())
            torch.distributed.all_gather(list(slices), slices[group.rank()].clone(), group=group)


def run_all(plan):
    """Run the layouts of a plan one after another in this process."""
    from specialize.config import FineTuneConfig, ParallelConfig, PretrainConfig, from_plain
    from specialize.train import open_data

    results = {}
    for name, spec in plan["layouts"].items():
        kind = PretrainConfig if spec["kind"] == "pretrain" else FineTuneConfig
        plain = from_plain(kind, spec["config"])
        config, after = (
            replace(plain, parallel=from_plain(ParallelConfig, parallel))
            for parallel in (spec["parallel"], spec.get("parallel_after", spec["parallel"]))
        )
        results[name] = run_layout(spec, config, after, open_data(plan, config))
    return results


def main(path):
    """Run the plan in a file; rank 0 writes the results."""
    import torch.distributed

    plan = json.loads(Path(path).read_text())
    results = run_all(plan)
    if torch.distributed.get_rank() == 0:
        Path(plan["out"]).write_text(json.dumps(results))
    torch.distributed.barrier()


if __name__ == "__main__":
    main(sys.argv[1])
