"""A training step of ours against the Hugging Face Trainer and a plain torch loop: `python benchmarks/training.py`.

All train the same shape (SmolLM2-135M's by default, random weights) on the same random tokens with the same threads, BF16
autocast over FP32 parameters, torch's fused AdamW, clipping at 1, SDPA, and the same heap setting (glibc keeps big temporaries).
Each has a process of its own and they take turns, a step at a time, so that a busy machine slows all alike. A figure is the median
over rounds of tokens a second and of tokens a CPU second; only ratios within a run mean anything. Besides: seconds from the start
of the process to the end of its first step, and of ours how long a checkpoint takes. `--long` takes ours alone through steps of
8,192 tokens at tiny width, with peak memory.

The Trainer needs accelerate: `pip install accelerate`.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SHAPES: dict[str, dict[str, Any]] = {
    "135M": {
        "num_layers": 30,
        "hidden_size": 576,
        "ffn_hidden_size": 1536,
        "num_attention_heads": 9,
        "num_query_groups": 3,
        "head_dim": 64,
        "vocab_size": 49152,
    },
    "tiny": {
        "num_layers": 4,
        "hidden_size": 256,
        "ffn_hidden_size": 688,
        "num_attention_heads": 8,
        "num_query_groups": 8,
        "head_dim": 32,
        "vocab_size": 4096,
    },
}
OURS, TRAINER, PLAIN = "ours", "HF Trainer", "plain torch"
Step = Callable[[], None]


def main() -> None:
    """Measure and print, or be one of the contestants."""
    parser = argparse.ArgumentParser(description="A training step against the named peers, as ratios of one run.")
    parser.add_argument("--shape", choices=SHAPES, default="135M")
    parser.add_argument("--length", type=int, default=1024, metavar="T", help="tokens of a sample (default: 1024)")
    parser.add_argument("--batch", type=int, default=1, metavar="B", help="samples of a step (default: 1)")
    parser.add_argument("--rounds", type=int, default=5, help="steps of each after the warm-up (default: 5)")
    parser.add_argument("--long", action="store_true", help="8,192 tokens at tiny width, ours alone, with peak memory")
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.long:
        options.shape, options.length, options.batch = "tiny", 8192, 1
    if options.contestant:
        serve(CONTESTANTS[options.contestant](options))
    else:
        compare(options, [OURS] if options.long else list(CONTESTANTS))


def compare(options: argparse.Namespace, names: list[str]) -> None:
    """Let the contestants take turns and print a row for each."""
    if TRAINER in names and importlib.util.find_spec("accelerate") is None:
        print("HF Trainer is left out: it needs accelerate (pip install accelerate)")
        names.remove(TRAINER)
    processes = {name: Process(name, options) for name in names}
    for process in processes.values():
        process.step()  # memory is allocated and pages are touched
    walls: dict[str, list[float]] = {name: [] for name in names}
    cpus: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name, process in processes.items():
            wall, cpu = process.step()
            walls[name].append(wall)
            cpus[name].append(cpu)
    tokens = options.length * options.batch
    print(f"{options.shape}, {options.batch} x {options.length} tokens a step, {options.rounds} rounds")
    print(
        f"{'':12} {'tokens/s':>9} {'a CPU s':>9} {'ratio':>6} {'range of rounds':>16} {'first step s':>13} {'peak GB':>8}"
    )
    for name, process in processes.items():
        ratios = [mine / theirs for mine, theirs in zip(walls[name], walls[OURS], strict=True)]
        speed, cpu_speed = tokens / statistics.median(walls[name]), tokens / statistics.median(cpus[name])
        span = f"{min(ratios):.2f} to {max(ratios):.2f}"
        peak = process.ask("peak")
        print(
            f"{name:12} {speed:9.1f} {cpu_speed:9.1f} {statistics.median(ratios):6.2f} {span:>16} {process.first:13.1f} {peak:8.2f}"
        )
    print(f"ratio: seconds of a step over ours, by round. A checkpoint of ours: {processes[OURS].ask('save'):.1f} s")
    for process in processes.values():
        process.close()


class Process:
    """A contestant in its process."""

    def __init__(self, name: str, options: argparse.Namespace) -> None:
        command = [sys.executable, str(Path(__file__)), "--contestant", name, "--shape", options.shape]
        command += ["--length", str(options.length), "--batch", str(options.batch)]
        started = time.monotonic()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.step()
        self.first = time.monotonic() - started

    def step(self) -> tuple[float, float]:
        """Have it take a step; return its wall and CPU seconds."""
        wall, cpu = self._send("step").split()
        return float(wall), float(cpu)

    def ask(self, what: str) -> float:
        """Ask for its peak memory in GB (`peak`), or how long a checkpoint takes (`save`)."""
        return float(self._send(what))

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _send(self, line: str) -> str:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the contestant has no pipes")
        print(line, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        while answer and not answer.startswith("="):  # what libraries print
            answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("a contestant died; its error is above")
        return answer[1:]


def serve(contestant: tuple[Step, Callable[[Path], None] | None]) -> None:
    """Take a step, save, or tell the peak, whenever a line says so."""
    step, save = contestant
    for line in sys.stdin:
        if line.strip() == "step":
            wall, cpu = time.perf_counter(), time.process_time()
            step()
            print(f"={time.perf_counter() - wall} {time.process_time() - cpu}", flush=True)
        elif line.strip() == "save" and save is not None:
            with tempfile.TemporaryDirectory() as folder:
                wall = time.perf_counter()
                save(Path(folder))
                print(f"={time.perf_counter() - wall}", flush=True)
        else:
            print(f"={resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}", flush=True)


# The contestants


def ours(options: argparse.Namespace) -> tuple[Step, Callable[[Path], None]]:
    """Make the loop's own step, with its checkpoint."""
    from specialize.checkpoint import Position
    from specialize.config import ModelConfig, OptimizerConfig, Precision, PretrainConfig
    from specialize.saves import Saves
    from specialize.step import train_step
    from specialize.trainer import build_trainer

    config = PretrainConfig(
        seq_length=options.length,
        global_batch_size=options.batch,
        micro_batch_size=options.batch,
        train_steps=1_000_000,
        optimizer=OptimizerConfig(learning_rate=1e-5),
        precision=Precision.BF16_AUTOCAST,
        dropout=0.0,
    )
    shape = ModelConfig(**SHAPES[options.shape], max_position_embeddings=options.length, tie_embeddings=True)
    trainer = build_trainer(shape, config)
    data = RandomData(options)
    return (
        lambda: (None, train_step(trainer, data, Position()))[0],
        lambda folder: Saves(folder, trainer.model, trainer.optimizer, config).save(Position()),
    )


class RandomData:
    """A training set of random tokens, the same for every step."""

    train_steps, epochs = 1_000_000, 1.0
    domains: tuple[str, ...] = ("random",)

    def __init__(self, options: argparse.Namespace) -> None:
        self.epochs_of = {"random": 1.0}
        self._rows = random_tokens(options)

    def samples_of(self, step: int) -> range:  # noqa: ARG002 - of the protocol
        """Return all samples, for any step."""
        return range(len(self._rows))

    def sample(self, position: int) -> Any:
        """Read one sample; all of it is learned."""
        import numpy as np

        from specialize.data import Sample

        row = self._rows[position]
        return Sample(row, np.arange(len(row)) > 0, np.zeros(1, dtype=np.int64))


def random_tokens(options: argparse.Namespace) -> Any:
    """Draw (batch, length + 1) tokens, the same in every process."""
    import numpy as np

    vocabulary = SHAPES[options.shape]["vocab_size"]
    return np.random.default_rng(0).integers(0, vocabulary, (options.batch, options.length + 1))


def hf_model(options: argparse.Namespace) -> Any:
    """Make transformers' model of the same shape, with SDPA and the heap setting that ours has."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from specialize.device import keep_heap

    keep_heap()
    shape = SHAPES[options.shape]
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=shape["vocab_size"],
            hidden_size=shape["hidden_size"],
            intermediate_size=shape["ffn_hidden_size"],
            num_hidden_layers=shape["num_layers"],
            num_attention_heads=shape["num_attention_heads"],
            num_key_value_heads=shape["num_query_groups"],
            max_position_embeddings=options.length,
            tie_word_embeddings=True,
            use_cache=False,
            attn_implementation="sdpa",
        )
    ).to(torch.float32)


def plain(options: argparse.Namespace) -> tuple[Step, None]:
    """Make the loop that is written by hand over transformers' model."""
    import torch

    model = hf_model(options).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    rows = torch.from_numpy(random_tokens(options))

    def step() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(input_ids=rows[:, :-1]).logits
            loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step, None


def trainer(options: argparse.Namespace) -> tuple[Step, None]:
    """Make the Trainer, which is let go on by one step at a time."""
    import torch
    import transformers

    model = hf_model(options)
    row = torch.from_numpy(random_tokens(options))
    folder = tempfile.mkdtemp()
    arguments = transformers.TrainingArguments(
        output_dir=folder,
        max_steps=1_000_000,
        per_device_train_batch_size=options.batch,
        learning_rate=1e-5,
        lr_scheduler_type="constant",
        optim="adamw_torch_fused",
        max_grad_norm=1.0,
        bf16=True,
        use_cpu=True,
        report_to=[],
        logging_strategy="no",
        save_strategy="no",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    # a label is shifted inside: both see length + 1 tokens and learn `length`
    data = [{"input_ids": row[i % len(row), :-1], "labels": row[i % len(row), :-1]} for i in range(64)]
    made = transformers.Trainer(model=model, args=arguments, train_dataset=data)
    turns = made_steps(made, transformers.TrainerCallback)
    return lambda: next(turns), None


def made_steps(made: Any, callback: type) -> Iterator[None]:
    """Run the Trainer in a thread that waits before each step, and let it take one at each `next`."""
    import threading

    go, done = threading.Semaphore(0), threading.Semaphore(0)
    raised: list[BaseException] = []

    class Turns(callback):  # type: ignore[misc]
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            go.acquire()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            done.release()

    def body() -> None:
        try:
            made.train()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the step was asked for
            raised.append(error)
            done.release()

    made.add_callback(Turns())
    threading.Thread(target=body, daemon=True).start()
    while True:
        go.release()
        done.acquire()
        if raised:
            raise raised[0]
        yield


CONTESTANTS: dict[str, Callable[[argparse.Namespace], tuple[Step, Any]]] = {OURS: ours, TRAINER: trainer, PLAIN: plain}

if __name__ == "__main__":
    main()
