"""Solutions with a program run in between: its output is real, verified again, and never learned."""

import pytest

from corpora import shards
from corpora.chat import MaskMode, encode, render
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.annotations import Unusable
from corpora.math.program import ProgramConfig, assignments, write_program
from corpora.math.python import execute
from corpora.math.structure import analyse
from corpora.math.tools import ToolsConfig, augment_tools, drafts, finish, messages, parts
from corpora.math.verify import label, verify
from sandbox.program import Outcome, Status

QUESTION = "Ann buys 14 pens at $3 each and 25 pads at $4 each. How much does she pay?"
SOLUTION = """Pens cost 14 * 3 = $<<14*3=42>>42.
Pads cost 25 * 4 = $<<25*4=100>>100.
She pays 42 + 100 = $<<42+100=142>>142.
#### 142"""
SEED = rows.problem("seed", QUESTION, SOLUTION, "142", source="t", license="MIT")
PROGRAM = """q1 = 14  # 14 pens
q2 = 3  # $3 each
q3 = 25  # 25 pads
q4 = 4  # $4 each
# Pens cost
s1 = q1*q2
# Pads cost
s2 = q3*q4
# She pays
s3 = s1+s2
print(s3)"""


def printed(text="142\n", status=Status.FINISHED):
    return Outcome(status=status, stdout=text)


def made(config=ToolsConfig(variants=0), outcome=None):  # noqa: B008  frozen
    (draft,) = drafts(SEED, config)
    return finish(draft, outcome or printed(), config)


def test_a_solution_says_what_is_asked_runs_a_program_and_takes_its_output():
    row = made()
    program, output, end = parts(row["solution"])
    assert program == PROGRAM
    assert output == "142"
    assert end.endswith("#### 142")
    assert "How much does she pay?" in row["solution"].partition("```")[0]
    assert "14 pens, $3 each, 25 pads and $4 each" in row["solution"]
    assert (row["kind"], row["question"], row["answer"]) == ("tools", QUESTION, "142")


def test_the_executor_speaks_between_the_assistants_parts():
    solution = made()["solution"]
    turns = messages(solution)
    assert [turn["role"] for turn in turns] == ["assistant", "tool", "assistant"]
    assert turns[0]["content"].endswith("print(s3)\n```\n```output\n")
    assert turns[1]["content"] == "142\n```\n"
    assert "".join(turn["content"] for turn in turns) == solution


class Bytes:
    """Bytes as ids."""

    def encode_batch(self, texts):
        return [list(text.encode()) for text in texts]

    def token_id(self, token):
        return 256 + token.count("end")


@pytest.mark.parametrize("mode", MaskMode)
def test_in_both_modes_every_label_of_the_output_is_masked_and_its_neighbours_are_not(mode):
    turns = [{"role": "user", "content": QUESTION}, *messages(made()["solution"])]
    (encoded,) = encode([turns], tokenizer=Bytes(), mode=mode)
    text = render(turns).replace("<|im_start|>", "\x01").replace("<|im_end|>", "\x02")
    start = text.index("```output\n") + len("```output\n")
    end = start + len("142\n```\n")
    labels = encoded.mask.tolist()
    assert len(labels) == len(text)
    assert labels[start:end] == [0] * len("142\n```\n")
    answer = text.rindex("assistant\n") + len("assistant\n")
    assert labels[answer:start] == [1] * (start - answer)
    assert labels[end:-1] == [1] * (len(text) - 1 - end)
    assert labels[-1] == int(mode is MaskMode.FINETUNE_PY)


def test_a_row_is_verified_by_a_second_run_and_by_its_lines():
    row = made()
    assert verify(row, printed())["evidence"] == "program output"
    assert verify(row, printed())["path_key"] == row["path_key"] == execute(PROGRAM)[1]


@pytest.mark.parametrize(
    ("old", "new", "outcome", "reason"),
    [
        ("142\n```", "142.0\n```", printed(), "output is not what was printed"),
        ("", "", printed("143\n"), "output is not the answer"),
        ("", "", printed("", Status.CRASHED), "program crashed"),
        ("", "", None, "program not run"),
        ("s3 = s1+s2", "s3 = s1+s2+s1", printed(), "answer is not the output"),
        ("#### 142", "#### 143", printed(), "answer is not the output"),
        ("q3 = 25  # 25 pads", "q3 = 50  # 25 pads", printed(), "answer is not the output"),
        ("q1*q2\n", "q1*q2\nimport os\n", printed(), "program not read"),
        ("```python", "```", printed(), "not one program with its output"),
    ],
)
def test_an_altered_row_fails_with_the_reason(old, new, outcome, reason):
    row = made()
    labelled = label({**row, "solution": row["solution"].replace(old, new)}, outcome)
    assert (labelled["verdict"], labelled["evidence"]) == ("failed", reason)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(printed("142.00000000000003\n"), "output is not exact"), (printed("", Status.TIMEOUT), "program timeout")],
)
def test_what_was_not_printed_is_not_said(outcome, reason):
    with pytest.raises(Unusable, match=reason):
        made(outcome=outcome)


@pytest.mark.parametrize(
    ("question", "solution", "reason"),
    [
        ("Ann has 14 pens.", "14 * 17 = <<14*17=238>>238\n#### 238", "constant not in question"),
        ("Each of Ann has 14 pens, 3 pads.", "<<14+1=15>>15 <<14+3=17>>17\n#### 17", "result not used"),
    ],
)
def test_a_program_that_does_not_follow_is_refused(question, solution, reason):
    with pytest.raises(Unusable, match=reason):
        drafts({**SEED, "question": question, "solution": solution}, ToolsConfig())


def test_an_ambiguous_number_is_the_latest_result_that_nothing_else_takes_up():
    structure = analyse(
        "Two boys have 10 figs each, four have 5. In all?", "<<2*10=20>>20 <<4*5=20>>20 <<20+20=40>>40\n#### 40"
    )
    assert list(assignments(structure))[-1] == "s3 = s2+s1"


def test_a_number_that_may_be_one_of_the_question_has_no_name_and_no_program():
    structure = analyse(
        "Two boys have 10 figs each, and 20 nuts. How many in all?", "<<2*10=20>>20 <<20+20=40>>40\n#### 40"
    )
    assert list(assignments(structure))[-1] == "s2 = 20+20"
    with pytest.raises(Unusable, match="result not used"):
        write_program(structure, ProgramConfig())


@pytest.mark.parametrize(
    ("solution", "reason"),
    [
        ("<<7=7>>7 <<7*2=14>>14\n#### 14", "number calculated nowhere"),
        ("<<2*37=74>>74\n#### 74", "constant not in question"),
    ],
)
def test_steps_from_nowhere_are_refused(solution, reason):
    with pytest.raises(Unusable, match=reason):
        write_program(analyse("How much are 2 boxes?", solution), ProgramConfig())


def test_renumbered_problems_get_solutions_too():
    found = drafts(SEED, ToolsConfig(variants=3))
    assert len({draft.question for draft in found}) == 4
    assert found[0].question == QUESTION


@pytest.mark.jail
def test_programs_run_in_the_sandbox_and_rows_are_the_same_for_any_number_of_workers(stages, same_bytes):
    folder = stages.out()
    bad = {**SEED, "id": "0" * 32, "solution": "no steps\n#### 3"}
    shards.write(
        folder / "kept" / shards.shard_name(0, 1), [SEED, bad], __import__("corpora.records", fromlist=["x"]).PROBLEM
    )
    one, two = stages.out(), stages.out()
    counts = augment_tools(one, problems=folder, config=ToolsConfig(variants=2), engine=Engine())
    augment_tools(two, problems=folder, config=ToolsConfig(variants=2), engine=Engine(workers=2))
    assert counts == {"kept": 3, "rejected": 1, "reasons": {"no annotation": 1}, "seeds_used": 1}
    same_bytes(one, two)


def test_wrong_configs_are_refused():
    with pytest.raises(ValueError, match=r"ToolsConfig.variants must be at least 0, got -1"):
        ToolsConfig(variants=-1)
    with pytest.raises(ValueError, match=r"ToolsConfig.max_steps must be above 0, got 0"):
        ToolsConfig(max_steps=0)


@pytest.mark.parametrize(
    ("question", "solution"),
    [
        ("He owes $170, pays $70 and 35% interest.", "<<170-70=100>>100 <<100+35=135>>135\n#### 135"),
        ("Of 80 hats and 20 caps 40% are red.", "<<80+20=100>>100 <<40/100*100=40>>40\n#### 40"),
    ],
)
def test_a_percent_and_its_hundred_are_not_taken_for_what_they_equal(question, solution):
    """Errors seen in programs that were read: 35 was 35% of a result of 100, and 40/100*100 was 40/s1*s1."""
    assert list(assignments(analyse(question, solution)))[-1] in ("s2 = 100+35", "s2 = q3/100*100")
