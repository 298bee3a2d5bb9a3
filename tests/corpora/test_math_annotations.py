"""Annotated solutions: what is read, what is refused, and how numbers are written."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.math.annotations import (
    Expression,
    Unusable,
    canonical,
    read_chain,
    render,
    to_value,
    without_annotations,
)

EGGS = "She sells 9 eggs: 16 - 7 = <<16-7=9>>9.\nShe makes 9 * 2 = $<<9*2=18>>18.\n#### 18"

numbers = st.integers(0, 999).map(str) | st.decimals(0, 99, places=2).map(str)
expressions = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map("".join), inner.map(lambda text: f"({text})")
    ),
    max_leaves=12,
)


def test_a_solution_is_executed_again():
    chain = read_chain(EGGS)
    assert chain.results == (9, 18)
    assert chain.answer == 18
    assert chain.path_key == "(16-7)=9|(2*9)=18"


@pytest.mark.parametrize(
    ("solution", "reason"),
    [
        ("7 + 2 = 9", "no final answer"),
        ("7 + 2 = 9\n#### 9", "no annotation"),
        ("<<7+2=9>>9\n#### 10", "final answer is not the last step"),
        ("<<7+2=10>>10\n#### 10", "step does not give its result"),
        ("<<7+2=9>>9\n#### nine", "final answer not a number"),
        ("<<7+2=nine>>\n#### 9", "result not a number"),
        ("<<7/0=9>>\n#### 9", "division by zero"),
        ("<<7**2=49>>\n#### 49", "calculation not read"),
        ("<<7 2=9>>\n#### 9", "calculation not read"),
        ("<<x+2=9>>\n#### 9", "calculation not read"),
        ("<<(7+2=9>>\n#### 9", "calculation not read"),
        ("<<7+2)=9>>\n#### 9", "calculation not read"),
        ("<<=9>>\n#### 9", "calculation not read"),
        ("<<()=9>>\n#### 9", "calculation not read"),
        ("<<7+=9>>\n#### 9", "calculation not read"),
    ],
)
def test_a_solution_that_proves_nothing_is_refused_with_the_reason(solution, reason):
    with pytest.raises(Unusable, match=f"^{reason}$"):
        read_chain(solution)


@given(expressions)
def test_a_calculation_has_the_value_that_python_gives_it(text):
    wanted = eval(__import__("re").sub(r"[\d.]+", lambda match: f"Fraction('{match[0]}')", text))
    assert Expression.parse(text).evaluate() == wanted


@given(expressions, expressions)
def test_swapped_operands_read_the_same(left, right):
    assert canonical(Expression.parse(f"({left})+({right})")) == canonical(Expression.parse(f"({right})+({left})"))


@given(st.integers(-(10**9), 10**9))
def test_a_written_number_reads_back(cents):
    value = Fraction(cents, 100)
    assert to_value(render(value)) == value
    assert to_value(render(value, "1,000.00")) == value


def test_a_number_with_more_than_two_decimals_is_not_written():
    with pytest.raises(Unusable, match="more than two decimals"):
        render(Fraction(1, 3))


def test_a_reader_sees_no_annotations():
    assert without_annotations(EGGS) == "She sells 9 eggs: 16 - 7 = 9.\nShe makes 9 * 2 = $18.\n#### 18"
