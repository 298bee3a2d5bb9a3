r"""How each benchmark finds the answer in a reply: one row a style, its steps in order, and where its rule was published.

A step is the name of a finder of `extraction`; the first that finds something gives the answer. Where ours is stricter or more
lenient than what was published, the row says so.
"""

from __future__ import annotations

from typing import NamedTuple


class Style(NamedTuple):
    """Steps in order, and the rule that they follow."""

    steps: tuple[str, ...]
    source: str


STYLES: dict[str, Style] = {
    "final": Style(
        ("marked", "boxed", "named", "only_number"),
        "ours: a reply must name its answer (####, a box, 'answer is') or be nothing but a number",
    ),
    "last_number": Style(
        ("last_number",), "Yuan et al. 2023 (Math401), Qwen's evaluation of GSM8K: whatever number comes last"
    ),
    "gsm8k": Style(
        ("marked",),
        "Cobbe et al. 2021, grade-school-math: `#### (-?[0-9.,]+)`; lm-eval gsm8k strict-match. Ours keeps fractions and units",
    ),
    "gsm8k_flexible": Style(
        ("last_number",), "lm-eval gsm8k flexible-extract: the last match of `(-?[$0-9.,]{2,})|(-?[0-9]+)`"
    ),
    "gsm8k_cot": Style(
        ("named", "last_number"), "Wei et al. 2022, lm-eval gsm8k-cot: 'The answer is ...'; then its flexible-extract"
    ),
    "math": Style(("boxed",), "Hendrycks et al. 2021, last_boxed_only_string: the last \\boxed{} or \\fbox{}"),
    "minerva": Style(
        ("minerva", "boxed"),
        "Lewkowycz et al. 2022: 'Final Answer: The final answer is ... I hope it is correct.'; lm-eval minerva_math. "
        "Ours falls back to the box",
    ),
    "prm800k": Style(("headed",), "Lightman et al. 2023, PRM800K: what follows the last '# Answer'"),
    "choice": Style(
        ("choice",),
        "lm-eval mmlu_pro: 'answer is (X)', then 'Answer: X'; Zhang et al. 2023 (AGIEval): the last letter on its own",
    ),
    "aqua": Style(
        ("choice",), "Ling et al. 2017, AQuA-RAT, letters A to E; the rule of Wei et al. 2022: 'The answer is (x)'"
    ),
    "named": Style(
        ("named",), "Kojima et al. 2022: what follows 'the answer is'; none where the reply does not say so"
    ),
    "svamp": Style(
        ("named", "last_number"),
        "Patel et al. 2021 with the chain-of-thought rule of Wei et al. 2022; also MAWPS and ASDiv",
    ),
    "math401": Style(
        ("last_number",), "Yuan et al. 2023: the last number, within 1e-3 of the gold (give `tolerance=1e-3`)"
    ),
    "cmath": Style(
        ("chinese", "boxed", "last_number"),
        "Wei et al. 2023, CMATH's eval.py takes any number of the reply that matches; ours takes one, so it is stricter",
    ),
    "math23k": Style(
        ("chinese", "assigned", "last_number"),
        "Wang et al. 2017: the value of `x=`; for replies in words: what follows 答",
    ),
    "ape210k": Style(("chinese", "assigned", "last_number"), "Zhao et al. 2020: as Math23K"),
    "chinese": Style(("boxed", "chinese", "marked", "last_number"), "ours, for mixed Chinese replies"),
    "auto": Style(
        ("marked", "boxed", "minerva", "named", "chinese", "only_number", "last_number"),
        "ours, the most lenient: everything in turn",
    ),
}
