"""Evaluation: what of a reply is judged, which problems are asked, and that samples are kept; no model is run."""

from types import SimpleNamespace

import pytest

from corpora import records, shards
from specialize import evaluate_code, evaluate_math, generate
from specialize.evaluate import subset
from specialize.evaluate_code import EvaluateCodeConfig, heldout_texts, program_of
from specialize.evaluate_math import EvaluateMathConfig, grade
from specialize.generate import cut

PROMPT = (
    'from typing import List\n\n\ndef helper(x):\n    return x\n\n\ndef total(xs: List[int]) -> int:\n    """Sum."""\n'
)
PROBLEM = SimpleNamespace(prompt=PROMPT, entry_point="total")
HEAD = PROMPT.partition("def total")[0]
BODY = "    return sum(xs)\n"


@pytest.mark.parametrize(
    ("reply", "chat", "wanted"),
    [
        (f"\n{BODY}", False, PROMPT + BODY),
        (f"Sure:\n```python\n{PROMPT}{BODY}```\nDone.", True, HEAD + PROMPT + BODY.rstrip()),
        (f"```python\ndef total(xs: List[int]):\n{BODY}```", True, f"{HEAD}def total(xs: List[int]):\n{BODY.rstrip()}"),
        (f"```\n{BODY}\n```\n```python\nprint()\n```", True, PROMPT + BODY),
        (f"```py\n{BODY}", True, PROMPT + BODY),
        (BODY, True, PROMPT + BODY),
        (f"```bash\npip install x\n```\nThen:\n```Python\n{BODY}```", True, PROMPT + BODY),
        ("```python\ndef totals(xs):\n    pass\n```", True, PROMPT + "def totals(xs):\n    pass"),
    ],
)
def test_program_of_humaneval(reply, chat, wanted):
    program = program_of("humaneval", PROBLEM, reply, chat=chat)
    assert program.rstrip() == wanted.rstrip()
    compile(program, "program", "exec")


def test_every_humaneval_prompt_holds_its_definition_last():
    from corpora.benchmarks import load

    for problem in load("humaneval", "test"):
        reply = f"```python\n{problem.prompt}{problem.solution}\n```"
        compile(program_of("humaneval", problem, reply, chat=True), problem.id, "exec")
        head = problem.prompt.rpartition(f"def {problem.entry_point}(")[0]
        compile(head, problem.id, "exec")


def test_program_of_mbpp():
    assert program_of("mbpp", PROBLEM, "x = 1\n", chat=False) == "x = 1\n"
    assert program_of("mbpp", PROBLEM, "Here:\n```python\nx = 1\n```", chat=True) == "x = 1"


def test_cut_takes_the_first_of_all_stops():
    stops = ["\nclass ", "\ndef "]
    assert cut("a\ndef f\nclass A", stops) == "a"
    assert cut("a\nclass A\ndef f", stops) == "a"
    assert cut("define", stops) == "define"
    assert cut("a", []) == "a"


def test_a_larger_subset_begins_with_a_smaller_one():
    rows = [{"id": str(n)} for n in range(50)]
    assert subset(rows, 10, 1) == subset(reversed(rows), 50, 1)[:10]
    assert subset(rows, 10, 1) != subset(rows, 10, 2)
    assert subset([SimpleNamespace(id=row["id"]) for row in rows], 1, 1)[0].id == subset(rows, 1, 1)[0]["id"]
    assert len(subset(rows, 99, 1)) == 50
    assert subset(rows, 0, 1) == []


@pytest.mark.parametrize(
    ("gold", "reply", "wanted"),
    [
        ("work\n#### 72", "So it is 72.\n#### 72", (True, True)),
        ("72", "72", (True, True)),
        ("72", "He has 72 apples.", (False, True)),
        ("72", "72 apples and 3 pears.", (False, False)),
        ("1,000", "#### 1000", (True, True)),
        ("72", "", (False, False)),
        ("72", "#### 7", (False, False)),
    ],
)
def test_grade(gold, reply, wanted):
    assert grade(gold, reply) == wanted


def test_only_held_out_texts_are_scored(tmp_path):
    rows = [{"id": str(n), "text": f"text {n}", "split": "heldout" if n % 3 else "train"} for n in range(9)]
    for index in range(2):
        shards.write(tmp_path / "kept" / shards.shard_name(index, 2), rows[index::2], records.DOCUMENT)
    found = heldout_texts(tmp_path, 1)
    assert sorted(found) == [f"text {n}" for n in (1, 2, 4, 5, 7, 8)]
    assert found != heldout_texts(tmp_path, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 0}, "EvaluateCodeConfig.batch_size must be at least 1, got 0"),
        ({"humaneval_problems": -1}, "EvaluateCodeConfig.humaneval_problems must be at least 0, got -1"),
        ({"dtype": "float8"}, "dtype must be one of bfloat16, float32, got 'float8'"),
    ],
)
def test_settings_are_checked(change, message):
    with pytest.raises(ValueError, match=message):
        EvaluateCodeConfig(**{"humaneval_problems": 1, "mbpp_problems": 1} | change)


class Replies:
    """In the place of the model: answers by prompt, and counts how often it is asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, 0

    def __call__(self, _exported, prompts, *, chat, **_):
        self.asked += 1
        return [self.answer(prompt, chat=chat) for prompt in prompts]


def test_math_asks_shots_it_never_scores(tmp_path, monkeypatch):
    drills = [
        {"id": f"d{n}", "question": f"{n}+1=?", "solution": f"{n}+1={n + 1}\n#### {n + 1}", "answer": str(n + 1)}
        for n in range(12)
    ]
    (tmp_path / "out").mkdir()
    shards.write(tmp_path / "drills" / "heldout" / shards.shard_name(0, 1), drills, records.PROBLEM)
    right = {row["question"]: row["answer"] for row in drills}
    prompts = []

    def answer(prompt, *, chat):
        prompts.append(prompt)
        question = prompt.rpartition("Question: ")[2].removesuffix("\nAnswer:")
        return f"it is {right.get(question, '?')}." if chat else f" {right.get(question, '?')}"

    replies = Replies(answer)
    monkeypatch.setattr(evaluate_math, "ask", replies)
    monkeypatch.setattr(generate.Exported, "load", lambda *_, **__: None)
    config = EvaluateMathConfig(drills=8, gsm8k_problems=2, shots=4)
    folders = {"base": tmp_path / "base", "chat": tmp_path / "chat", "drills": tmp_path / "drills"}
    report = evaluate_math.evaluate_math(tmp_path / "out", **folders, config=config)
    scores = report["models"]["base"]
    assert (scores["drills"]["n"], scores["drills"]["correct"]) == (8, 0)
    assert scores["drills_lenient"]["correct"] == scores["drills_few_shot"]["correct"] == 8
    assert scores["gsm8k"]["n"] == 2
    asked = {prompt for prompt in prompts if prompt in right}
    shown = {
        line
        for prompt in prompts
        if prompt.count("Question: ") == 5
        for line in right
        if f"Question: {line}\nAnswer: " in prompt
    }
    assert len(asked) == 8
    assert len(shown) == 4
    assert not asked & shown

    asked_before = replies.asked
    assert evaluate_math.evaluate_math(tmp_path / "out", **folders, config=config) == report
    assert replies.asked == asked_before  # samples of a killed run are not asked again


def test_code_counts_what_was_not_scored_apart_and_resumes(tmp_path, monkeypatch):
    statuses = ["passed", "not_scored", "failed", "passed"]
    replies = Replies(lambda prompt, *, chat: "```python\npass\n```" if chat else "    pass\n")
    monkeypatch.setattr(evaluate_code, "ask", replies)
    monkeypatch.setattr(evaluate_code, "judge", lambda problems, *_: statuses[: len(problems)])
    monkeypatch.setattr(generate.Exported, "load", lambda *_, **__: None)
    monkeypatch.setattr(generate, "text_bits_per_byte", lambda *_, tokens, **__: {"bits_per_byte": tokens / 100})
    row = {"id": "a", "text": "x = 1", "split": "heldout"}
    for name in ("code", "text"):
        shards.write(tmp_path / name / "kept" / shards.shard_name(0, 1), [row], records.DOCUMENT)
    (tmp_path / "out").mkdir()
    folders = {name: tmp_path / name for name in ("base", "pretrained", "chat", "code", "text")}
    config = EvaluateCodeConfig(humaneval_problems=4, mbpp_problems=4, code_tokens=90, text_tokens=80)

    report = evaluate_code.evaluate_code(tmp_path / "out", **folders, config=config, workers=1)
    for scores in report["models"].values():
        assert (scores["code_bits_per_byte"], scores["text_bits_per_byte"]) == (0.9, 0.8)
        for suite in ("humaneval", "mbpp"):
            assert (scores[suite]["passed"], scores[suite]["n"], scores[suite]["not_scored"]) == (2, 3, 1)
            assert scores[suite]["low"] < scores[suite]["pass_at_1"] < scores[suite]["high"]
    samples = shards.read_json(tmp_path / "out" / "parts" / "chat-mbpp.json")
    assert [sample["status"] for sample in samples] == statuses
    assert replies.asked == 6
    (tmp_path / "out" / "parts" / "chat-mbpp.json").unlink()
    assert evaluate_code.evaluate_code(tmp_path / "out", **folders, config=config, workers=1) == report
    assert replies.asked == 7


def test_a_base_is_asked_to_go_on_after_the_docstring():
    from corpora.benchmarks import load

    problems = load("humaneval", "test")
    prompts = evaluate_code.code_prompts("humaneval", problems, shots=0, chat=False)
    for problem, prompt in zip(problems, prompts, strict=True):
        assert prompt == prompt.rstrip()
        compile(program_of("humaneval", problem, "\n    pass", chat=False), problem.id, "exec")


def test_mbpp_shows_its_shots_to_a_base_only():
    from corpora.benchmarks import load

    problems = load("mbpp", "test")[:2]
    base = evaluate_code.code_prompts("mbpp", problems, shots=2, chat=False)
    assert [prompt.count("[DONE]") for prompt in base] == [2, 2]
    assert all(prompt.endswith("[BEGIN]\n") for prompt in base)
    chat = evaluate_code.code_prompts("mbpp", problems, shots=0, chat=True)
    assert all("[BEGIN]" not in prompt for prompt in chat)
