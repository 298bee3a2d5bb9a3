"""Which tests are literal, and that a literal test means what Python says it means."""

import pytest

from sandbox.entry import Entry, entry_of
from sandbox.literal import NotLiteral, NotTests, parse_tests
from sandbox.values import BadValue


def holds(tests, functions, entry_point=None):
    """The verdict with a candidate of this process."""
    checks = parse_tests(tests, entry_point)
    return all(
        check.holds(lambda name, arguments, keywords: functions[name](*arguments, **keywords)) for check in checks
    )


def holds_in_python(tests, functions):
    try:
        exec(tests, dict(functions))
    except AssertionError:
        return False
    return True


FUNCTIONS = {"f": lambda x=1, *, y=0: x, "g": lambda *a: list(a)}


@pytest.mark.parametrize(
    "tests",
    [
        "assert f(1) == 1",
        "assert f(1) == True",
        "assert f(True) is True",
        "assert f(1) is True",
        "assert f(None) is None",
        "assert f([1, (2, {3: {4}})]) == [1, (2, {3: {4}})]",
        "assert f((1,)) == [1]",
        "assert f(0.1) + 0.2 == 0.3",
        "assert abs(f(0.1) + 0.2 - 0.3) < 1e-9",
        "import math\nassert math.isclose(f(0.1), 0.1 + 1e-12)",
        "assert f(-3) == -3 and not f(0)",
        "assert f(0) or f(2)",
        "assert f(0) and f(2)",
        "assert 1 < f(2) < 3",
        "assert 1 < f(2) < 2",
        "assert f('a') in ['a', 'b']",
        "assert f(2) not in (2, 3)",
        "assert f(x=3, y=2) == 3",
        "assert g(1, 2) == [1, 2], 'a message'",
        "assert set(g(1, 2, 1)) == {1, 2}",
        "assert sorted(g(3, 1)) == [1] + [3]",
        "assert f([0] * 3) == [0, 0, 0]",
        "assert f(2 ** 10) == 1024",
        "assert f('%') != '%'",
        "assert True\nassert f(1)",
        "assert set(f([0] * 5000)) == {0}",
        "assert set(f([0] * 5000)) == {1}",
    ],
)
def test_a_literal_test_means_what_python_says(tests):
    assert holds(tests, FUNCTIONS) is holds_in_python(tests, FUNCTIONS)


def test_the_check_function_of_humaneval():
    tests = "METADATA = {'author': 'x'}\n\ndef check(candidate):\n    assert candidate(2) == 2\n    assert True\n"
    assert holds(tests, FUNCTIONS, "f")
    assert holds(tests + "check(f)\n", FUNCTIONS, "f")


def test_a_candidate_named_like_a_builtin_is_the_candidate():
    assert holds("assert sum(10, 15) == 6\nassert sum(1, 2) == 6", {"sum": lambda *_: 6})
    assert not holds("assert abs(f(-1)) == 1", {"f": lambda _: 2, "abs": lambda _: 1})


@pytest.mark.parametrize(
    "tests",
    [
        "for i in range(3):\n    assert f(i) == i",
        "x = 1\nassert f(x) == 1",
        "assert f(g(1)) == 1",
        "assert f(y) == 1",
        "assert f(lambda: 1)",
        "assert f(*[1]) == 1",
        "assert f(**{'x': 1}) == 1",
        "assert f(1) is 1",
        "assert f(1).x == 2",
        "assert f([i for i in (1, 2)]) == 1",
        "assert f(f'{1}') == '1'",
        "import os\nassert f(1) == 1",
        "assert 1 == 1",
        "f(1)",
        "",
        "def check(candidate):\n    assert candidate(1)",
    ],
)
def test_what_needs_more_is_not_literal(tests):
    with pytest.raises(NotLiteral):
        parse_tests(tests)


@pytest.mark.parametrize("text", ["assert f(", "assert " + "-" * 50_000 + "f(1)", "\0", "\ud800"])
def test_what_does_not_parse_is_no_tests(text):
    with pytest.raises(NotTests):
        parse_tests(text)


@pytest.mark.parametrize(
    ("tests", "entry_point", "expected"),
    [
        ("def check(candidate): pass", "f", Entry("f", is_given_to_check=True)),
        ("def check(candidate): pass\ncheck(f)", "f", Entry("f", is_given_to_check=False)),
        ("def check(candidate): pass", None, Entry(None, is_given_to_check=False)),
        ("def check(candidate):\n    pass\n\n\nif 1:\n    check(f)", "f", Entry("f", is_given_to_check=True)),
        ("if 1:\n    def check(candidate): pass", "f", Entry("f", is_given_to_check=False)),
        ("assert f(1) == 'check'", "f", Entry("f", is_given_to_check=False)),
        ("assert f(1) == 1", "f", Entry("f", is_given_to_check=False)),
        ("assert sum(1, 2) == 4\nassert sum(2, 2) == 4", None, Entry("sum", is_given_to_check=False)),
        ("assert list(f(1)) == [1]", None, Entry(None, is_given_to_check=False)),
        ("for i in (1,):\n    assert abs(f(i)) == i", None, Entry(None, is_given_to_check=False)),
    ],
)
def test_what_general_tests_begin_with(tests, entry_point, expected):
    assert entry_of(tests, entry_point) == expected


@pytest.mark.parametrize(
    "tests",
    [
        "assert f(1) * 10 ** 10 ** 10",
        "assert f('x') * 10 ** 9",
        "assert f([0]) * 10 ** 6 * 10 ** 3",
        "assert f('%1000000000d') % 1",
    ],
)
def test_arithmetic_out_of_bounds_is_refused(tests):
    with pytest.raises((BadValue, NotLiteral)):
        holds(tests, FUNCTIONS)
