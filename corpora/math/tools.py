"""Tool-integrated solutions: words, a program, what it printed when it was run, and the answer (ToRA, Gou et al. 2023).

The words say what is asked and what is given; the program has a line a step, with the seed's words beside it; the output is
what the sandbox gave. A row's `solution` is one text with fences; `messages` cuts it where the executor speaks, so that
`corpora.chat` leaves those tokens out of the loss. Some renumbered problems of a seed get a solution too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import progress, shards, sieve
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.annotations import ANNOTATION, ANSWER_MARK, Unusable, render, to_value
from corpora.math.program import assignments, check_steps, named
from corpora.math.python import execute
from corpora.math.renumber import RenumberConfig, variants
from corpora.math.structure import MONEY, Structure, analyse, has_evidence, is_part

if TYPE_CHECKING:
    from sandbox import Limits, Outcome

TOOL, ASSISTANT = "tool", "assistant"
PROGRAM_START, FENCE, OUTPUT_START = "```python\n", "\n```\n", "```output\n"
_CUT = re.compile(r"(?<=^```output\n)(.*?\n```\n)", re.MULTILINE | re.DOTALL)
_PLANS = (
    "We want to know: {asked}\nThe question gives {given}. Let a program do the {steps}.",
    "The question is: {asked}\nWe have {given}. I will calculate it in Python, {steps}.",
    "Asked: {asked}\nKnown: {given}. A short program takes {steps}.",
    "{asked} To find out, I start from {given} and let Python do the {steps}.",
)
_STEPS = ("{} steps", "step by step", "{} steps", "{} steps")
_ENDS = (
    "The program prints {output}, so the answer is {answer}.",
    "The output is {output}: the answer is {answer}.",
    "So the answer is {answer}.",
    "It gives {output}. The answer is {answer}.",
)
_BARE_PLANS = (
    "We want to know: {asked}\nLet a program do the {steps}.",
    "The question is: {asked}\nI will calculate it in Python, {steps}.",
    "Asked: {asked}\nA short program takes {steps}.",
    "{asked} To find out, I let Python do the {steps}.",
)
_SENTENCE = re.compile(
    r"(?<!Mr\.)(?<!Ms\.)(?<!Dr\.)(?<!St\.)(?<!Mrs\.)(?<!Jr\.)(?<![ .][A-Z]\.)(?<=[.?!])\s+(?=[A-Z“\"\d])"
)
_WORDS_AFTER = re.compile(r"%|(?:-[a-z]+)*(?: (?:an?|per|each|every) [A-Za-z]+| [A-Za-z'’-]+(?: [A-Za-z'’-]+)?)?")
_SMALL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an the of and or to at in on by as is are was were for with from than that which who his her their its then he "
        "she it they if but so while when after before into per had has have how along every all does do did will can out "
        "up back now",
    )
)
_LEAD = re.compile(
    r"(?!(?:If|Since|Because|As|When|While|Out of|Given)\b)[A-Z][A-Za-z ,'’-]{6,70}?(?= ?(?::|=)? ?\$?[\d(])"
)
_TAIL = re.compile(r"[\d.,]*\d(?: ([A-Za-z][A-Za-z '’-]{2,60}?))?[.]?(?:\n|$)")


@dataclass(frozen=True, kw_only=True)
class ToolsConfig:
    """Which problems get a program to run, and what it may use."""

    variants: int = 3
    """Renumbered problems of a seed, beside the seed itself; their numbers are not those of the stage that renumbers."""
    max_steps: int = 12
    """Lines of calculation at most."""
    tries: int = 60
    """Draws for one renumbered problem."""
    wall_seconds: float = 20.0
    """Wide, so that a busy machine gives what a quiet one gives; a program of this sort takes milliseconds."""
    cpu_seconds: int = 10
    memory_bytes: int = 512 << 20
    seed: int = 0

    def __post_init__(self) -> None:
        if self.variants < 0:
            raise ValueError(f"ToolsConfig.variants must be at least 0, got {self.variants}")
        for name in ("max_steps", "tries", "wall_seconds", "cpu_seconds", "memory_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"ToolsConfig.{name} must be above 0, got {getattr(self, name)}")

    def limits(self) -> Limits:
        """Give what a program may use."""
        import sandbox

        return sandbox.Limits(
            wall_seconds=self.wall_seconds, cpu_seconds=self.cpu_seconds, memory_bytes=self.memory_bytes
        )


@dataclass(frozen=True)
class Draft:
    """A solution that lacks the output of its program."""

    seed: rows.Row
    question: str
    answer: str
    plan: str
    program: str
    path_key: str


def augment_tools(out: Path, *, problems: Path, config: ToolsConfig, engine: Engine) -> dict[str, object]:
    """Write, run and finish a solution for every seed; `rejected/` says which got none, and why."""
    paths = shards.shard_paths(problems / "kept")
    counts = []
    for number, path in enumerate(paths):
        counts.append(sieve.done(out, path.name) or _tools_shard(path, out, config, engine.workers))
        progress.report(number + 1, len(paths), "shards")
    return rows.total(out, counts)


def _tools_shard(path: Path, out: Path, config: ToolsConfig, workers: int) -> sieve.Counts:
    import sandbox

    drafted: list[Draft] = []
    rejected: list[rows.Row] = []
    for seed in rows.read(path):
        try:
            drafted += drafts(seed, config)
        except Unusable as reason:
            rejected.append(rows.rejection(seed, str(reason)))
    asked = [sandbox.Program(source=f"{draft.program}\n") for draft in drafted]
    outcomes = sandbox.run_many(asked, limits=config.limits(), workers=workers)
    kept: dict[str, rows.Row] = {}
    for draft, outcome in zip(drafted, outcomes, strict=True):
        try:
            made = finish(draft, outcome, config)
        except Unusable as reason:
            rejected.append(rows.rejection(draft.seed, str(reason), evidence=outcome.stdout.strip()[:200]))
        else:
            kept[made["id"]] = made
    used = len({row["seed"] for row in kept.values()})
    return rows.write(out, path.name, kept.values(), rejected, seeds_used=used)


def drafts(seed: rows.Row, config: ToolsConfig) -> list[Draft]:
    """Write the solutions of a seed, and of some problems renumbered from it, up to where the program is run."""
    made = [draft(seed, seed["question"], seed["solution"], config)]
    renumbering = RenumberConfig(variants=max(1, config.variants), tries=config.tries, seed=_own(config.seed))
    try:
        found = variants(seed, renumbering) if config.variants else []
    except Unusable:
        found = []
    return made + [draft(seed, variant.question, variant.solution, config) for variant in found]


def _own(seed: int) -> int:
    """Give a seed for numbers that no other stage draws."""
    return int(rows.digest(rows.TOOLS, seed)[:8], 16)


def draft(seed: rows.Row, question: str, solution: str, config: ToolsConfig) -> Draft:
    """Write one solution up to where the program is run."""
    structure = analyse(question, solution)
    if len(structure.chain.steps) > config.max_steps:
        raise Unusable("too many steps")
    if not all(has_evidence(value, question) for value in structure.constants()):
        raise Unusable("constant not in question")
    check_steps(structure)
    program = "\n".join(_program(structure))
    exact, key = execute(program)
    if exact != structure.chain.answer:
        raise Unusable("program is not the solution")
    rng = rows.rng(config.seed, rows.TOOLS, question)
    number = rng.randrange(len(_PLANS))
    steps = _STEPS[number].format(len(structure.chain.steps)).replace("1 steps", "one step")
    given = _given(structure)
    plan = (_PLANS if given else _BARE_PLANS)[number].format(asked=_asked(question), given=given, steps=steps)
    return Draft(seed, question, render(exact), plan, program, key)


def finish(drafted: Draft, outcome: Outcome, config: ToolsConfig) -> rows.Row:
    """Write the row, now that the program has run; `Unusable` unless it printed the answer to the last digit."""
    from sandbox import Status

    if outcome.status is not Status.FINISHED:
        raise Unusable(f"program {outcome.status.value}")
    output = outcome.stdout.strip()
    if not re.fullmatch(r"-?\d+(?:\.\d+)?", output) or to_value(output) != to_value(drafted.answer):
        raise Unusable("output is not exact")
    end = rows.rng(config.seed, drafted.question, drafted.program).choice(_ENDS)
    solution = join(drafted.plan, drafted.program, output, end.format(output=output, answer=drafted.answer))
    solution = f"{solution}\n{ANSWER_MARK} {drafted.answer}"
    return rows.derived(rows.TOOLS, drafted.seed, drafted.question, solution, drafted.answer, path_key=drafted.path_key)


def join(plan: str, program: str, output: str, end: str) -> str:
    """Write a solution as one text."""
    return f"{plan}\n{PROGRAM_START}{program}{FENCE}{OUTPUT_START}{output}{FENCE}{end}"


def messages(solution: str) -> list[dict[str, str]]:
    r"""Cut a solution into what the assistant says and what the executor says, in order; joined they are the text again.

    The opening fence of an output is the assistant's, who asks for it; the closing one is the executor's.

    >>> [turn["role"] for turn in messages(join("Plan.", "print(42)", "42", "So 42."))]
    ['assistant', 'tool', 'assistant']
    >>> messages(join("Plan.", "print(42)", "42", "So 42."))[1]["content"]
    '42\n```\n'
    """
    texts = _CUT.split(solution)
    roles = [(ASSISTANT, TOOL)[number % 2] for number in range(len(texts))]
    return [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True) if text]


def parts(solution: str) -> tuple[str, str, str]:
    """Give program, output and final words of a solution; `Unusable` when it is not of that form."""
    pattern = rf"{re.escape(PROGRAM_START)}(.*?){re.escape(FENCE + OUTPUT_START)}(.*?){re.escape(FENCE)}(.*)"
    found = re.findall(pattern, solution, re.DOTALL)
    if len(found) != 1 or OUTPUT_START in found[0][2]:
        raise Unusable("not one program with its output")
    program, output, end = found[0]
    return program, output, end


def _program(structure: Structure) -> Iterator[str]:
    """Yield the lines of a program, with what the question says beside what it gives, and the solution above its steps."""
    for index in sorted(named(structure)):
        quantity = structure.quantities[index]
        said = context(structure, index)
        yield f"q{index + 1} = {render(quantity.value)}{f'  # {said}' if said != quantity.text else ''}"
    last = ""
    for number, line in enumerate(assignments(structure)):
        said = _said(structure, number)
        if said not in ("", last):
            yield f"# {said}"
        yield line
        last = said
    yield f"print(s{len(structure.chain.steps)})"


def context(structure: Structure, index: int) -> str:
    """Give a number of a question with the words that say what it is."""
    quantity, question = structure.quantities[index], structure.question
    match = _WORDS_AFTER.match(question, quantity.end)
    words = match.group().split(" ") if match else [""]
    while len(words) > 1 and words[-1].lower() in _SMALL_WORDS:
        words.pop()
    if len(words) > 1 and words[1].lower() in _SMALL_WORDS - {"a", "an", "per"}:
        words = words[:1]
    money = MONEY if question[: quantity.start].endswith(MONEY) else ""
    return f"{money}{quantity.text}{' '.join(words)}"


def _said(structure: Structure, step: int) -> str:
    """Give the words of the solution around a calculation, without it: the line's beginning and end."""
    chain, at = structure.chain, structure.chain.steps[step]
    start = chain.body.rfind("\n", 0, at.start) + 1
    if ANNOTATION.search(chain.body[start : at.start]):
        return ""
    lead, tail = _LEAD.match(chain.body, start), _TAIL.match(chain.body, at.end)
    end = tail[1] if tail and tail[1] else ""
    if lead is None:
        return ""
    return f"{lead.group().strip(' ,')} ... {end}" if end else lead.group().strip(" ,")


def _asked(question: str) -> str:
    return _SENTENCE.split(question.strip())[-1]


def _given(structure: Structure) -> str:
    used = [(index, structure.quantities[index]) for index in sorted(structure.used())]
    whole = [index for index, q in used if not is_part(structure.question, q.start, q.end)]
    texts = list(dict.fromkeys(context(structure, index) for index in whole))
    return ", ".join(texts[:-1]) + (" and " if len(texts) > 1 else "") + texts[-1] if texts else ""
