"""`plan`: what would run and what it would cost, before anything is spent.

Data stages are sized by the recipe's byte budget and the measured CPU seconds a gigabyte; training by 6 N D
operations (Kaplan et al. 2020, section 2.1), the recipe's hardware and its assumed utilisation. Estimates, labelled so.
"""

from dataclasses import dataclass
from typing import Any

from pipelines.root import Root
from pipelines.stage import Stage, ancestry, machine
from pipelines.status import human_bytes
from pipelines.terminal import duration, wide_console


@dataclass(frozen=True)
class DataCost:
    """CPU seconds a gigabyte that a stage reads, and the share of the byte budget that reaches it."""

    seconds_per_gb: float
    share: float


CODE_COSTS = {
    "CollectCode": DataCost(67.0, 1.0),
    "FilterCode": DataCost(19.0, 1.0),
    "DropExactDuplicates": DataCost(10.0, 0.7),
    "IndexDuplicates": DataCost(14.0, 0.5),
    "DropNearDuplicates": DataCost(8.0, 0.5),
    "ScanMalware": DataCost(60.0, 0.5),
    "RedactSecrets": DataCost(18.0, 0.5),
    "ScoreQuality": DataCost(20.0, 0.5),
    "GateSyntax": DataCost(130.0, 0.5),
    "DecontaminateCorpus": DataCost(26.0, 0.5),
    "OrderRepositories": DataCost(20.0, 0.3),
    "ApplyFim": DataCost(10.0, 0.3),
    "TokenizeCode": DataCost(28.0, 0.3),
}
TEXT_COSTS = {
    "CollectText": DataCost(67.0, 1.0),
    "RedactText": DataCost(18.0, 1.0),
    "DecontaminateText": DataCost(26.0, 1.0),
    "TokenizeText": DataCost(28.0, 1.0),
}
"""Seconds: of the run in docs/corpus.md, Parquet included; tokens with Qwen's vocabulary (docs/log.md); text as code. ScanMalware
and ScoreQuality are estimates. Shares: what duplicates and filters leave of code, 30% in the end, is an assumption for a crawl."""
BYTES_PER_TOKEN = 3.2
"""UTF-8 bytes of kept code a Qwen token."""


@dataclass(frozen=True)
class Estimate:
    """What one stage would do; None where it does not apply."""

    stage: str
    state: str
    work: str
    seconds: float | None = None
    gpu_hours: float | None = None
    cost: float | None = None


def show_plan(root: Root) -> None:
    """Print one line a stage and the sums."""
    from rich.table import Table

    estimates = [estimate(stage) for stage in ancestry(*root.requires())]
    table = Table(title=f"plan of {type(root).__name__} --recipe {root.recipe} (estimates; nothing has been started)")
    for name in ("stage", "state", "work"):
        table.add_column(name)
    for name in ("time", "GPU-hours", "cost USD"):
        table.add_column(name, justify="right")
    for row in estimates:
        table.add_row(row.stage, row.state, row.work, *_amounts(row))
    missing = [row for row in estimates if row.state != "complete"]
    table.add_section()
    table.add_row("sum of what is missing", f"{len(missing)} stages", "", *_amounts(_sum(missing)))
    console = wide_console()
    console.print(table)
    for line in assumptions(root):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def estimate(stage: Stage) -> Estimate:
    """Estimate one stage from the recipe; a complete one from its manifest."""
    name, values = type(stage).__name__, stage.values
    if stage.complete():
        manifest = stage.manifest()
        metrics = manifest["metrics"] if isinstance(manifest["metrics"], dict) else {}
        return Estimate(name, "complete", _metrics_line(metrics), manifest["wall_seconds"])
    state = "partial" if stage.partial.exists() else "missing"
    if stage.build.endswith((":continue_pretraining", ":fine_tune")):
        return _training(stage, state)
    for costs, budget in (
        (CODE_COSTS, getattr(values, "collect_code", None)),
        (TEXT_COSTS, getattr(values, "collect_text", None)),
    ):
        if name in costs and budget is not None:
            size = budget.budget_bytes * costs[name].share
            work = f"up to {human_bytes(size)}, {size / BYTES_PER_TOKEN / 1e9:.3g}B tokens"
            return Estimate(name, state, work, costs[name].seconds_per_gb * size / 1e9 / machine().workers)
    return Estimate(name, state, "")


def _training(stage: Stage, state: str) -> Estimate:
    from specialize.config import model_parameters

    name, config, hardware = type(stage).__name__, stage.config_value(), stage.values.hardware
    parameters = model_parameters(stage.values.model)
    tokens, steps = config.planned_tokens(), config.planned_steps()
    most = "" if stage.build.endswith(":continue_pretraining") else "at most "
    if not steps:
        packs = stage.inputs["packs"]
        if not packs.complete():
            return Estimate(name, state, f"{config.epochs:g} epochs of the packs, which are not there yet")
        tokens = int(packs.manifest()["metrics"]["tokens"] * config.epochs)
    flops = 6.0 * parameters * tokens
    seconds = flops / (hardware.devices * hardware.peak_flops * hardware.utilization)
    hours = seconds * hardware.devices / 3600 if hardware.kind != "cpu" else None
    length = f"{most}{tokens:,} tokens in {steps:,} steps" if steps else f"{tokens:,} tokens"
    work = f"{parameters / 1e9:.3g}B parameters, {length}, {flops:.2g} FLOP; a rank holds {_rank_memory(stage)}"
    return Estimate(name, state, work, seconds, hours, hours * hardware.dollars_per_hour if hours else None)


def _rank_memory(stage: Stage) -> str:
    """Say what a rank holds of weights, optimizer and activations, and where that is more than its device has."""
    from specialize import memory

    hardware = stage.values.hardware
    need = memory.estimate(stage.values.model, stage.config_value(), fused=hardware.kind != "cpu")
    fits = need.total * memory.MARGIN <= hardware.memory_bytes
    bound = "" if fits else f", MORE THAN THE {hardware.memory_bytes / 1e9:.0f} GB OF A DEVICE"
    return f"{need.total / 1e9:.1f} GB{bound}"


def assumptions(root: Root) -> list[str]:
    """Say what the figures rest on."""
    values: Any = root.requires()[0].values
    hardware = values.hardware
    price = f", USD {hardware.dollars_per_hour:g} a device-hour" if hardware.dollars_per_hour else ""
    peak = f"{hardware.utilization:.0%} of {hardware.peak_flops / 1e12:g} TFLOP/s"
    return [
        f"Training: 6 N D at {peak} a device, {hardware.devices} x {hardware.kind}{price}.",
        f"Data: measured CPU seconds a gigabyte, on {machine().workers} workers of luigi.cfg [engine].",
    ]


def _metrics_line(metrics: dict[str, Any]) -> str:
    plain = [
        f"{name} {value:,}" for name, value in metrics.items() if isinstance(value, int) and not isinstance(value, bool)
    ]
    return ", ".join(plain[:4])


def _sum(estimates: list[Estimate]) -> Estimate:
    seconds, hours, cost = (
        sum(getattr(row, name) or 0.0 for row in estimates) for name in ("seconds", "gpu_hours", "cost")
    )
    return Estimate("sum", "", "", seconds, hours, cost)


def _amounts(row: Estimate) -> tuple[str, str, str]:
    time = duration(row.seconds) if row.seconds else ""
    return time, f"{row.gpu_hours:,.1f}" if row.gpu_hours else "", f"{row.cost:,.0f}" if row.cost else ""
