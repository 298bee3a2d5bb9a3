"""Scores of CODE-QWEN before and after: bits per byte on held-out code and text, HumanEval and MBPP pass@1.

Greedy, every program judged in the sandbox. A problem whose tests cannot judge (Status.NOT_SCORED) is counted apart from n.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import shards
from specialize.evaluate import LazyModel, Sample, ask, check, kept_samples, shower, subset, write_report

if TYPE_CHECKING:
    from corpora.benchmarks import BenchmarkProblem

COMPLETION_STOPS = ("\ndef ", "\nclass ", "\nif ", "\nprint", "\n#", "\n@", "```", "\nassert")
"""Where a completed function has ended: the next thing at the left margin (Chen et al. 2021, section 3.1), or a fence, with
which models tuned on chats begin."""
MBPP_STOPS = ("[DONE]", "\nassert", "\nYou are an expert")
_STOPS = {"humaneval": COMPLETION_STOPS, "mbpp": MBPP_STOPS}
_FENCE = re.compile(r"```([^\n`]*)\n(.*?)(?:\n```|\Z)", re.DOTALL)
_PYTHON = ("", "py", "python", "python3")
"""Names of a fenced block that is taken as the program; a shell command before it is not."""


@dataclass(frozen=True, kw_only=True)
class EvaluateCodeConfig:
    """How much is asked, and how."""

    humaneval_problems: int
    """Of 164."""
    mbpp_problems: int
    """Of the 500 of the test split."""
    mbpp_shots: int = 3
    """QWEN report, header of Table 2; the shots are MBPP's own prompt split. A chat model gets none (section 3.2)."""
    max_new_tokens: int = 512
    code_tokens: int = 100_000
    """Tokens of held-out code that are predicted."""
    text_tokens: int = 100_000
    seq_length: int = 1024
    """Tokens of one document at most."""
    batch_size: int = 16
    dtype: str = "bfloat16"
    seed: int = 1234

    def __post_init__(self) -> None:
        check(self, 1, "max_new_tokens", "batch_size", "code_tokens", "text_tokens", "seq_length")
        check(self, 0, "humaneval_problems", "mbpp_problems", "mbpp_shots")


def evaluate_code(
    out: Path,
    *,
    base: Path,
    pretrained: Path,
    chat: Path,
    code: Path,
    text: Path,
    config: EvaluateCodeConfig,
    workers: int,
) -> dict[str, object]:
    """Score the base, the continued model and the chat model."""
    models = {"base": (base, False), "pretrained": (pretrained, False), "chat": (chat, True)}
    heldout = {"code": heldout_texts(code, config.seed), "text": heldout_texts(text, config.seed)}
    scores: dict[str, Any] = {}
    for done, (name, (folder, talks)) in enumerate(models.items()):
        loaded = LazyModel(folder / "hf", config.dtype)
        show = shower(done, len(models), name)
        scores[name] = {
            **_bits(out, name, loaded, heldout, config, show),
            "humaneval": _pass_at_1(out, name, "humaneval", loaded, config, chat=talks, workers=workers, show=show),
            "mbpp": _pass_at_1(out, name, "mbpp", loaded, config, chat=talks, workers=workers, show=show),
        }
    return write_report(out, scores, config)


def heldout_texts(folder: Path, seed: int) -> list[str]:
    """Read the held-out documents, in the order of digest(seed, id)."""
    from corpora import records

    rows: list[dict[str, Any]] = []
    for path in shards.shard_paths(folder / "kept"):
        table = shards.read(path, records.DOCUMENT, columns=["id", "text", "split"])
        rows += [row for row in table.to_pylist() if row["split"] == records.HELDOUT]
    return [row["text"] for row in subset(rows, len(rows), seed)]


def _bits(
    out: Path,
    name: str,
    loaded: LazyModel,
    heldout: dict[str, list[str]],
    config: EvaluateCodeConfig,
    show: Callable[[str], None],
) -> dict[str, Any]:
    from specialize.generate import text_bits_per_byte

    path = out / "bits" / f"{name}.json"
    if not path.exists():
        show("bits per byte")
        found = {
            domain: text_bits_per_byte(
                loaded(), texts, tokens=getattr(config, f"{domain}_tokens"), seq_length=config.seq_length
            )
            for domain, texts in heldout.items()
        }
        shards.write_json(path, found)
    found = shards.read_json(path)
    return {f"{domain}_bits_per_byte": found[domain]["bits_per_byte"] for domain in heldout}


def _pass_at_1(
    out: Path,
    name: str,
    suite: str,
    loaded: LazyModel,
    config: EvaluateCodeConfig,
    *,
    chat: bool,
    workers: int,
    show: Callable[[str], None],
) -> dict[str, Any]:
    from specialize.metrics import proportion

    def make() -> Sequence[Sample]:
        show(suite)
        return _answer(suite, loaded, config, chat=chat, workers=workers)

    statuses = [sample["status"] for sample in kept_samples(out, name, suite, make)]
    missing = statuses.count("not_scored")
    scored = proportion(statuses.count("passed"), len(statuses) - missing, "pass_at_1", "passed")
    return {**scored, "not_scored": missing}


def _answer(suite: str, loaded: LazyModel, config: EvaluateCodeConfig, *, chat: bool, workers: int) -> Sequence[Sample]:
    """Ask the chosen problems of a suite and judge the programs."""
    from corpora.benchmarks import load

    problems = subset(load(suite, "test"), getattr(config, f"{suite}_problems"), config.seed)
    prompts = code_prompts(suite, problems, shots=0 if chat else config.mbpp_shots, chat=chat)
    stops = () if chat else _STOPS[suite]
    limits = {"limit": config.max_new_tokens, "batch_size": config.batch_size}
    replies = ask(loaded(), prompts, **limits, stops=stops, chat=chat)
    programs = [program_of(suite, *pair, chat=chat) for pair in zip(problems, replies, strict=True)]
    statuses = judge(problems, programs, workers)
    return [
        {"problem": one.id, "tests": one.tests, "prompt": prompt, "reply": reply, "program": program, "status": status}
        for one, prompt, reply, program, status in zip(problems, prompts, replies, programs, statuses, strict=True)
    ]


def code_prompts(suite: str, problems: Sequence[BenchmarkProblem], *, shots: int, chat: bool) -> list[str]:
    """Put the problems of a suite: as instructions to a chat model, as text to continue to a base."""
    from corpora.benchmarks import load
    from corpora.instructions import FUNCTION_PROMPT, MBPP_PROMPT

    if suite == "humaneval":  # a last newline of its own is a token that never stands before an indent
        heads = [problem.prompt.rstrip() for problem in problems]
        return [FUNCTION_PROMPT.format(head=head) for head in heads] if chat else heads
    tasks = [MBPP_PROMPT.format(task=problem.prompt, tests=problem.tests) for problem in problems]
    if chat:
        return tasks
    examples = "".join(
        f"{MBPP_PROMPT.format(task=shot.prompt, tests=shot.tests)}\n[BEGIN]\n{shot.solution.strip()}\n[DONE]\n\n"
        for shot in load("mbpp", "prompt")[:shots]
    )
    return [f"{examples}{task}\n[BEGIN]\n" for task in tasks]


def program_of(suite: str, problem: BenchmarkProblem, reply: str, *, chat: bool) -> str:
    """Take the program out of a reply: the first fenced Python block of a chat model, the continuation of a base.

    A chat model that writes a function anew leaves out what stands above it in the prompt, imports and helpers; it is put back.
    """
    if not chat:
        return problem.prompt.rstrip() + reply if suite == "humaneval" else reply
    blocks = (block for name, block in _FENCE.findall(reply) if name.strip().lower() in _PYTHON)
    program = next(blocks, reply)
    if suite != "humaneval":
        return program
    head, definition, _ = problem.prompt.rpartition(f"def {problem.entry_point}(")
    return head + program if definition in program else problem.prompt + program


def judge(problems: Sequence[BenchmarkProblem], programs: Sequence[str], workers: int) -> list[str]:
    """Run every program against its problem's tests in the sandbox.

    HumanEval's tests call helpers of the prompt (`poly`, `encode_cyclic`): they get the prompt's own, not the candidate's.
    """
    import sandbox

    asked = [
        sandbox.Program(
            source=program,
            tests=problem.tests,
            entry_point=problem.entry_point or None,
            context=problem.prompt if problem.benchmark == "humaneval" else "",  # MBPP's prompts are English
        )
        for problem, program in zip(problems, programs, strict=True)
    ]
    return [outcome.status.value for outcome in sandbox.run_many(asked, limits=sandbox.Limits(), workers=workers)]
