"""Scores of a model before and after, with every sample kept: re-scoring the samples gives the same report.

Code: bits per byte on held-out code and text; HumanEval and MBPP (test split), pass@1, greedy, judged in the sandbox.
Math: held-out drills and GSM8K, exact match; the base is also asked few-shot and read leniently, so that a gain in format
is not sold as a gain in skill. How many problems are asked is the recipe's; which ones is digest(seed, id).
Problems whose tests are not literal are counted as not scored, apart from n.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import progress, shards
from specialize.export import DTYPES

if TYPE_CHECKING:
    from corpora.benchmarks import BenchmarkProblem
    from specialize.generate import Exported

COMPLETION_STOPS = ("\ndef ", "\nclass ", "\nif ", "\nprint", "\n#", "\n@", "```", "\nassert")
"""Where a completed function has ended: the next thing at the left margin (Chen et al. 2021, section 3.1), or a fence, with
which models tuned on chats begin."""
MBPP_STOPS = ("[DONE]", "\nassert", "\nYou are an expert")
_FENCE = re.compile(r"```([^\n`]*)\n(.*?)(?:\n```|\Z)", re.DOTALL)
_PYTHON = ("", "py", "python", "python3")
"""Names of a fenced block that is taken as the program; a shell command before it is not."""
_MATH_STOPS = ("\nQuestion:", "\n\n")


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
        _check(self, 1, "max_new_tokens", "batch_size", "code_tokens", "text_tokens", "seq_length")
        _check(self, 0, "humaneval_problems", "mbpp_problems", "mbpp_shots")


@dataclass(frozen=True, kw_only=True)
class EvaluateMathConfig:
    """How much is asked, and how."""

    drills: int
    """Held-out drills."""
    gsm8k_problems: int
    """Of the 1,319 of the test split."""
    shots: int = 4
    """Worked drills before a few-shot question."""
    max_new_tokens: int = 256
    drill_new_tokens: int = 32
    batch_size: int = 16
    dtype: str = "bfloat16"
    seed: int = 1234

    def __post_init__(self) -> None:
        _check(self, 1, "max_new_tokens", "drill_new_tokens", "batch_size")
        _check(self, 0, "drills", "gsm8k_problems", "shots")


def _check(config: EvaluateCodeConfig | EvaluateMathConfig, least: int, *names: str) -> None:
    name = type(config).__name__
    for field in names:
        if getattr(config, field) < least:
            raise ValueError(f"{name}.{field} must be at least {least}, got {getattr(config, field)}")
    if config.dtype not in DTYPES:
        raise ValueError(f"{name}.dtype must be one of {', '.join(DTYPES)}, got {config.dtype!r}")


Sample = dict[str, Any]


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
        loaded = _Lazy(folder / "hf", config.dtype)
        show = _progress(done, len(models), name)
        scores[name] = {
            **_bits(out, name, loaded, heldout, config, show),
            "humaneval": _pass_at_1(out, name, "humaneval", loaded, config, chat=talks, workers=workers, show=show),
            "mbpp": _pass_at_1(out, name, "mbpp", loaded, config, chat=talks, workers=workers, show=show),
        }
    return _report(out, scores, config)


def evaluate_math(out: Path, *, base: Path, chat: Path, drills: Path, config: EvaluateMathConfig) -> dict[str, object]:
    """Score the base, asked in three ways, and the chat model."""
    from corpora.benchmarks import load

    rows = _drill_rows(drills)
    chosen = subset(rows, config.shots + config.drills, config.seed)
    shots, asked = chosen[: config.shots], chosen[config.shots :]
    test = [{"id": one.id, "question": one.question, "answer": one.answer} for one in load("gsm8k", "test")]
    train = [{"id": one.id, "question": one.question, "solution": one.answer} for one in load("gsm8k", "train")]
    suites = {
        "drills": (asked, shots, config.drill_new_tokens),
        "gsm8k": (
            subset(test, config.gsm8k_problems, config.seed),
            subset(train, config.shots, config.seed),
            config.max_new_tokens,
        ),
    }
    scores: dict[str, Any] = {}
    for done, (name, folder) in enumerate({"base": base, "chat": chat}.items()):
        loaded = _Lazy(folder / "hf", config.dtype)
        show = _progress(done, 2, name)
        scores[name] = {}
        for suite, (problems, examples, limit) in suites.items():
            samples = _math_samples(out, name, suite, loaded, problems, None, limit, config, show)
            scores[name][suite] = _exact(samples, "strict")
            scores[name][f"{suite}_lenient"] = _exact(samples, "lenient")
            if name == "base":
                samples = _math_samples(out, name, f"{suite}_few_shot", loaded, problems, examples, limit, config, show)
                scores[name][f"{suite}_few_shot"] = _exact(samples, "lenient")
    return _report(out, scores, config)


class _Lazy:
    """A model that is loaded when it is first asked: a resumed evaluation may need none."""

    def __init__(self, folder: Path, dtype: str) -> None:
        self._folder, self._dtype = folder, dtype
        self._model: Exported | None = None

    def __call__(self) -> Exported:
        from specialize.generate import Exported

        if self._model is None:
            self._model = Exported.load(self._folder, dtype=self._dtype)
        return self._model


def subset(rows: Sequence[Any], count: int, seed: int) -> list[Any]:
    """Choose `count` rows by digest(seed, id), in that order; a smaller count is a prefix of a larger one's."""

    def key(row: Any) -> str:
        identity = row["id"] if isinstance(row, dict) else row.id
        return hashlib.sha256(f"{seed}\n{identity}".encode()).hexdigest()

    return sorted(rows, key=key)[:count]


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
    loaded: _Lazy,
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
    loaded: _Lazy,
    config: EvaluateCodeConfig,
    *,
    chat: bool,
    workers: int,
    show: Callable[[str], None],
) -> dict[str, Any]:
    from corpora.benchmarks import load
    from specialize.metrics import proportion

    path = out / "parts" / f"{name}-{suite}.json"
    if not path.exists():
        show(suite)
        problems = subset(load(suite, "test"), getattr(config, f"{suite}_problems"), config.seed)
        prompts = [_code_prompt(suite, problem, config, chat=chat) for problem in problems]
        stops = () if chat else (COMPLETION_STOPS if suite == "humaneval" else MBPP_STOPS)
        replies = _ask(loaded(), prompts, config.max_new_tokens, config.batch_size, stops, chat=chat)
        programs = [
            program_of(suite, problem, reply, chat=chat) for problem, reply in zip(problems, replies, strict=True)
        ]
        statuses = judge(problems, programs, workers)
        shards.write_json(
            path,
            [
                _sample(name, suite, problem.id, prompt, reply, program, status, problem.tests)
                for problem, prompt, reply, program, status in zip(
                    problems, prompts, replies, programs, statuses, strict=True
                )
            ],
        )
    statuses = [sample["status"] for sample in shards.read_json(path)]
    missing = statuses.count("not_scored")
    scored = proportion(statuses.count("passed"), len(statuses) - missing, "pass_at_1", "passed")
    return {**scored, "not_scored": missing}


def _code_prompt(suite: str, problem: BenchmarkProblem, config: EvaluateCodeConfig, *, chat: bool) -> str:
    from corpora.benchmarks import load
    from corpora.instructions import FUNCTION_PROMPT, MBPP_PROMPT

    if suite == "humaneval":
        head = problem.prompt.rstrip()  # a last newline of its own is a token that never stands before an indent
        return FUNCTION_PROMPT.format(head=head) if chat else head
    task = MBPP_PROMPT.format(task=problem.prompt, tests=problem.tests)
    if chat:
        return task
    shots = load("mbpp", "prompt")[: config.mbpp_shots]
    texts = [
        f"{MBPP_PROMPT.format(task=shot.prompt, tests=shot.tests)}\n[BEGIN]\n{shot.solution.strip()}\n[DONE]\n\n"
        for shot in shots
    ]
    return "".join(texts) + f"{task}\n[BEGIN]\n"


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
    """Run every program against its problem's tests in the sandbox."""
    import sandbox

    asked = [
        sandbox.Program(source=program, tests=problem.tests, entry_point=problem.entry_point or None)
        for problem, program in zip(problems, programs, strict=True)
    ]
    return [outcome.status.value for outcome in sandbox.run_many(asked, limits=sandbox.Limits(), workers=workers)]


def _ask(
    exported: Exported, prompts: Sequence[str], limit: int, batch_size: int, stops: Sequence[str], *, chat: bool
) -> list[str]:
    from specialize.generate import complete

    plain = exported.tokenizer.encode_batch
    ids = [chat_ids(exported, prompt) for prompt in prompts] if chat else plain(prompts)
    return complete(exported, ids, max_new_tokens=limit, batch_size=batch_size, stops=stops)


def chat_ids(exported: Exported, question: str) -> list[int]:
    """Lay a question out in ChatML, up to where the assistant speaks; markers are ids, never text."""
    tokenizer = exported.tokenizer
    user, newline, assistant = tokenizer.encode_batch([f"user\n{question}", "\n", "assistant\n"])
    start, end = tokenizer.token_id("<|im_start|>"), tokenizer.token_id("<|im_end|>")
    return [start, *user, end, *newline, start, *assistant]


def _drill_rows(folder: Path) -> list[dict[str, Any]]:
    from corpora import records

    paths = shards.shard_paths(folder / "heldout")
    return [row for path in paths for row in shards.read(path, records.PROBLEM).to_pylist()]


def _math_samples(
    out: Path,
    name: str,
    suite: str,
    loaded: _Lazy,
    problems: Sequence[dict[str, Any]],
    shots: Sequence[dict[str, Any]] | None,
    limit: int,
    config: EvaluateMathConfig,
    show: Callable[[str], None],
) -> list[Sample]:
    """Ask every problem: in ChatML, or after worked examples when there are shots."""
    path = out / "parts" / f"{name}-{suite}.json"
    if not path.exists():
        show(suite.replace("_", " "))
        few = "".join(f"Question: {shot['question']}\nAnswer: {shot['solution']}\n\n" for shot in shots or ())
        prompts = [
            row["question"] if shots is None else f"{few}Question: {row['question']}\nAnswer:" for row in problems
        ]
        stops = () if shots is None else _MATH_STOPS
        replies = _ask(loaded(), prompts, limit, config.batch_size, stops, chat=shots is None)
        samples = [
            {**_sample(name, suite, row["id"], prompt, reply, "", "", ""), "gold": row["answer"]}
            for row, prompt, reply in zip(problems, prompts, replies, strict=True)
        ]
        for sample in samples:
            sample["strict"], sample["lenient"] = grade(sample["gold"], sample["reply"])
            sample["status"] = "passed" if sample["strict"] else "failed"
        shards.write_json(path, samples)
    return list(shards.read_json(path))


def grade(gold: str, reply: str) -> tuple[bool, bool]:
    """Compare a reply with the gold answer: as the answer it names, and by its last number.

    A reply names its answer after `####` or in a box, or is nothing but the answer.
    """
    from sandbox.answers import equivalent, extract

    wanted = gold.rpartition("####")[2].strip()
    named = extract(reply, style="final")
    last = extract(reply, style="last_number")
    strict = named is not None and equivalent(wanted, named).is_equal
    return strict, strict or (last is not None and equivalent(wanted, last).is_equal)


def _exact(samples: Sequence[Sample], how: str) -> dict[str, Any]:
    from specialize.metrics import proportion

    return proportion(sum(bool(sample[how]) for sample in samples), len(samples), "exact_match", "correct")


def _sample(
    name: str, suite: str, problem: str, prompt: str, reply: str, program: str, status: str, tests: str
) -> Sample:
    return {
        "model": name,
        "suite": suite,
        "problem": problem,
        "prompt": prompt,
        "reply": reply,
        "program": program,
        "status": status,
        "tests": tests,
    }


def _report(out: Path, scores: dict[str, Any], config: Any) -> dict[str, object]:
    """Write report.json and samples.parquet."""
    import pyarrow as pa

    from specialize.config import to_plain

    rows = [row for path in sorted((out / "parts").glob("*.json")) for row in shards.read_json(path)]
    names = ("model", "suite", "problem", "prompt", "reply", "program", "status", "tests", "gold")
    schema = pa.schema([(name, pa.string()) for name in names])
    shards.write(out / "samples.parquet", [{name: row.get(name) for name in names} for row in rows], schema)
    report = {"models": scores, "settings": to_plain(config)}
    shards.write_json(out / "report.json", report)
    return report


def _progress(done: int, total: int, name: str) -> Callable[[str], None]:
    return lambda suite: progress.report(done, total, "models", now=f"{name}, {suite}")
