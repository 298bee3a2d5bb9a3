"""The end of a run in the terminal: scores before and after for both pipelines, places, the next command."""

import io

from rich.console import Console

from pipelines.console import print_results
from pipelines.scores import score_table


def fraction(key, value, **more):
    return {key: value, "passed": round(100 * value), "n": 100, "low": value - 0.01, "high": value + 0.01, **more}


CODE = {
    "models": {
        "chat": {"humaneval": fraction("pass_at_1", 0.05)},
        "base": {"code_bits_per_byte": 0.869, "humaneval": fraction("pass_at_1", 0.05, not_scored=3)},
        "pretrained": {"code_bits_per_byte": 0.834, "humaneval": fraction("pass_at_1", 0.02)},
    }
}
MATH = {
    "models": {
        "base": {"drills": fraction("exact_match", 0.01), "drills_few_shot": fraction("exact_match", 0.10)},
        "chat": {"drills": fraction("exact_match", 0.43)},
    }
}


def printed(report, **arguments):
    console = Console(file=io.StringIO(), width=120)
    print_results(report, title="T [b]", locations={"page": "/a b/report.html"}, next_commands=["go"], console=console)
    return console.file.getvalue()


def test_code_scores_stand_in_the_order_of_training():
    text = printed(CODE)
    assert text.index("base") < text.index("CODE-QWEN") < text.index("CODE-QWEN-CHAT")
    for part in (
        "T [b]",
        "0.869",
        "−4.0%",
        "−3.0 points",
        "±0.0 points",
        "3 not scored",
        "/a b/report.html",
        "Next: go",
    ):
        assert part in text


def test_a_math_gain_is_against_the_best_prompt_of_the_base():
    """A gain in format is not sold as a gain in skill."""
    row = score_table(MATH).rows[0]
    assert row.cells[1].change == "+33.0 points"
    assert "best prompt" in row.hint
    assert score_table(MATH).rows[1].cells[1] is None


def test_a_run_without_scores_says_where_things_lie():
    assert "/a b/report.html" in printed({})


def test_the_numbers_of_the_report_stand_beside_ours_only_for_its_own_sizes():
    report = {"models": {"base": {}, "chat": {"humaneval": fraction("pass_at_1", 0.4)}}}
    assert score_table(report, recipe="qwen-7b").rows[0].cells[1].reported == "43.3%"
    assert score_table(report, recipe="laptop").rows[0].cells[1].reported == ""
