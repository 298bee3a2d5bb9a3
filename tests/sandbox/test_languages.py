"""Programs of other languages: rows of HumanEvalPack, cheats, attacks on compilers, and plain runs.

What needs a toolchain that is not installed is skipped, with the reason.
"""

import contextlib
import dataclasses
import time

import pytest

import sandbox
from sandbox import LanguageUnavailable, Limits, Program, Status
from sandbox.languages import LANGUAGES, tools
from sandbox.program import LANGUAGES as NAMES
from sandbox.signatures import Function, NotPlain, functions
from sandbox.stand_ins import go_file, halves
from tests.sandbox import language_cases as cases

pytestmark = [pytest.mark.jail, pytest.mark.usefixtures("jail")]
LIMITS = Limits(wall_seconds=60)
BENCHMARKS = {
    name: f"humanevalpack-{'js' if name == 'javascript' else name}" for name in sorted(LANGUAGES) if name != "shell"
}
CANNOT_PASS = {
    "JavaScript/162": "requires js-md5, a package of npm",
    "Rust/32": "gen_range with two arguments: rand before 0.8",
    "Rust/50": "gen_range with two arguments: rand before 0.8",
    "Rust/137": "borrowed values of any type, and a result of a type of its own",
    "Go/17": "no import of strings",
    "Go/20": "no imports of math and sort",
    "Go/59": "no import of math",
    "Go/75": "no import of math",
    "Go/95": "depends on the order of a map",
}
"""Canonical solutions of HumanEvalPack that do not pass, or not always, and why."""
SLOW = {"cpp", "java", "rust"}  # to compile


def run(language, source, tests=None, **more):
    try:
        return sandbox.run(Program(language=language, source=source, tests=tests, **more), limits=LIMITS)
    except LanguageUnavailable as reason:
        pytest.skip(str(reason))


def rows(language, numbers):
    """Canonical and buggy programs of some rows."""
    benchmarks = pytest.importorskip("corpora.benchmarks")
    problems = benchmarks.load(BENCHMARKS[language], "test")
    for problem in problems if numbers is None else [problems[number] for number in numbers]:
        head = problem.extra.get("import", "") + "\n" + problem.prompt
        program = Program(
            language=language, source=head + problem.solution, tests=problem.tests, entry_point=problem.entry_point
        )
        yield problem.id, program, dataclasses.replace(program, source=head + problem.extra["buggy_solution"])


@pytest.mark.parametrize(
    ("language", "numbers"),
    [
        *((name, [23, 32] if name in SLOW else [1, 12, 32, 38, 111, 136]) for name in BENCHMARKS),
        *(pytest.param(name, None, marks=pytest.mark.slow, id=f"{name}-all") for name in BENCHMARKS),
    ],
)
def test_canonical_solutions_pass_and_buggy_ones_do_not(language, numbers):
    found = list(rows(language, numbers))
    try:
        tools(language)
        outcomes = sandbox.run_many([p for _, *pair in found for p in pair], limits=LIMITS, workers=2)
    except LanguageUnavailable as reason:
        pytest.skip(str(reason))
    right, wrong = outcomes[::2], outcomes[1::2]
    failed = {
        id_: outcome for (id_, *_), outcome in zip(found, right, strict=True) if outcome.status is not Status.PASSED
    }
    assert set(failed) <= set(CANNOT_PASS), failed
    passed = [id_ for (id_, *_), outcome in zip(found, wrong, strict=True) if outcome.status is Status.PASSED]
    assert passed == []


@pytest.mark.parametrize("language", sorted(cases.RIGHT))
def test_the_function_that_cheats_imitate_passes(language):
    outcome = run(language, cases.RIGHT[language], cases.TESTS[language], entry_point="twice")
    assert outcome.status is Status.PASSED, outcome


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name.split()[0] in SLOW else [], id=name.replace(" ", "-"))
        for name in cases.CHEATS
    ],
)
def test_no_cheat_passes(name):
    language = name.split()[0]
    outcome = run(language, cases.CHEATS[name], cases.TESTS[language], entry_point="twice")
    assert outcome.status is not Status.PASSED
    assert outcome.status is not Status.FINISHED


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", list(cases.COMPILER_ATTACKS), ids=[n.replace(" ", "-") for n in cases.COMPILER_ATTACKS]
)
def test_a_compiler_is_held_to_the_limits_of_its_program(name):
    limits = Limits(wall_seconds=30, cpu_seconds=5, memory_bytes=256 << 20)
    try:
        outcome = sandbox.run(Program(language=name.split()[0], source=cases.COMPILER_ATTACKS[name]), limits=limits)
    except LanguageUnavailable as reason:
        pytest.skip(str(reason))
    assert outcome.status in {Status.COMPILE_ERROR, Status.TIMEOUT, Status.MEMORY, Status.CRASHED}, outcome
    assert outcome.cpu_seconds < 8


@pytest.mark.parametrize("language", sorted(cases.FILE_READERS))
def test_no_file_of_the_host_shows_in_output_or_diagnostics(language, tmp_path_factory):
    secret = tmp_path_factory.mktemp("private") / "secret.txt"
    secret.write_text("int tell_nobody = 4711;\n")
    for path in (str(secret), "/etc/shadow", "/proc/1/environ"):
        outcome = run(language, cases.FILE_READERS[language].format(path=path))
        assert outcome.status in {Status.COMPILE_ERROR, Status.CRASHED}
        assert "tell_nobody = 4711" not in outcome.stdout + outcome.stderr + outcome.detail
        assert "root:" not in outcome.stdout + outcome.stderr + outcome.detail


PLAIN = {
    "cpp": "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; std::cerr << 'e'; }",
    "go": 'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc main() {\n\tvar a, b int\n\tfmt.Scan(&a, &b)\n\tfmt.Print(a + b)\n'
    '\tfmt.Fprint(os.Stderr, "e")\n}',
    "java": "import java.util.*;\npublic class Sum {\n    public static void main(String[] args) {\n"
    "        Scanner in = new Scanner(System.in);\n        System.out.print(in.nextInt() + in.nextInt());\n"
    '        System.err.print("e");\n    }\n}',
    "javascript": "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number);\n"
    "process.stdout.write(String(a + b));\nprocess.stderr.write('e');",
    "rust": "use std::io::Read;\nfn main() {\n    let mut text = String::new();\n"
    "    std::io::stdin().read_to_string(&mut text).unwrap();\n"
    "    let sum: i32 = text.split_whitespace().map(|n| n.parse::<i32>().unwrap()).sum();\n"
    '    print!("{}", sum);\n    eprint!("e");\n}',
    "shell": "read -r a b\nprintf %s $((a + b))\nprintf e >&2",
}


@pytest.mark.parametrize("language", sorted(PLAIN))
def test_a_program_reads_its_input_and_writes_its_output(language):
    outcome = run(language, PLAIN[language], stdin="2 3\n", expected_stdout="5")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (Status.PASSED, "5", "e"), outcome


@pytest.mark.parametrize("language", sorted(set(PLAIN) - {"javascript", "shell"}))
def test_what_is_not_a_program_is_a_compile_error_with_the_compilers_words(language):
    outcome = run(language, "this is } not a program", stdin="1")
    assert outcome.status is Status.COMPILE_ERROR
    assert "error" in outcome.detail.lower() or "main.go:3" in outcome.detail


ENDLESS = {"javascript": "for (;;);", "shell": "while :; do :; done"}
GREEDY = {
    "javascript": "const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1));",
    "shell": 'a=x; while :; do a="$a$a"; done',
}
CHATTY = {"javascript": "for (;;) require('fs').writeSync(1, 'x'.repeat(65536));", "shell": "yes"}


@pytest.mark.parametrize("language", sorted(ENDLESS))
def test_limits_hold(language):
    limits = Limits(wall_seconds=30, cpu_seconds=1, memory_bytes=128 << 20)
    for source, status in ((ENDLESS, Status.TIMEOUT), (GREEDY, Status.MEMORY), (CHATTY, Status.OUTPUT)):
        try:
            outcome = sandbox.run(Program(language=language, source=source[language]), limits=limits)
        except LanguageUnavailable as reason:
            pytest.skip(str(reason))
        assert outcome.status is status or (outcome.status, status) == (Status.TIMEOUT, Status.MEMORY), outcome


def test_a_candidate_that_crashes_is_told_apart_from_a_wrong_one():
    tests = cases.TESTS["javascript"]
    assert run("javascript", "const twice = (n) => { throw new Error('no'); }", tests).status is Status.CRASHED
    assert run("javascript", "const twice = (n) => 5", tests).status is Status.FAILED
    assert run("javascript", "const twice = (n) => {", tests).status is Status.CRASHED


def test_tests_that_call_no_function_of_the_program_are_not_comparable():
    assert run("javascript", "const other = 1;", cases.TESTS["javascript"]).status is Status.NOT_COMPARABLE


def test_shell_tests_that_evaluate_output_are_refused():
    for line in ("(( $(twice 2) == 4 ))", "[[ $(twice 2) -eq 4 ]]", 'eval "$(twice 2)"'):
        assert run("shell", cases.RIGHT["shell"], line).status is Status.NOT_COMPARABLE


def test_prepared_toolchains_cannot_be_written():
    outcome = run(
        "shell", "for f in /toolchains /toolchains/*; do touch $f/x; echo x >$f/wire.hpp; done; ls /toolchains/*/x"
    )
    assert outcome.status is Status.CRASHED
    assert "Read-only" in outcome.stderr


@pytest.mark.parametrize("entry_point", [None, "rev"])
def test_a_name_of_the_system_is_the_candidates_only_as_entry_point(entry_point):
    """Else the tests run the system's own `rev`: they hold, but say nothing of the candidate."""
    outcome = run("shell", "rev() { echo ab; }", '[ "$(rev <<<ab)" = ba ]', entry_point=entry_point)
    assert outcome.status is Status.FAILED
    outcome = run("shell", "rev() { echo ba; }", '[ "$(rev ab)" = ba ]', entry_point="rev")
    assert outcome.status is Status.PASSED


def test_references_are_written_back():
    source = "#include <vector>\nvoid grow(std::vector<int> &v, const std::string &s) { v.push_back(s.size()); }"
    tests = '#include <assert.h>\nint main() { vector<int> v = {1}; grow(v, "abc"); assert(v[1] == 3); }'
    assert run("cpp", source, tests).status is Status.PASSED


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        ("cpp", "typedef long long ll;\nstd::vector<ll> f(const vector<int>& a, map<char,int> &m, ll k = 3) {",
         Function("f", "vector<long long>", ("vector<int>", "map<char,int>&", "long long"))),
        ("cpp", "// int f(int a) {\nunsigned int f(unsigned int, int) {", Function("f", "unsigned int", ("unsigned int", "int"))),
        ("rust", "pub fn f<'a>(mut a: Vec<&'a str>, b:(i32, f64)) -> Option<&'a str> {",
         Function("f", "Option< & str>", ("Vec< & str>", "(i32, f64)"))),
        ("go", "func f(a, b int, c map[interface{}][]string) (int, interface{}){",
         Function("f", "int, interface{}", ("int", "int", "map[interface{}][]string"))),
        ("java", "class Solution { public static int[] f(final List<int[]> a, Map<String, Integer> b) throws Exception {",
         Function("f", "int[]", ("List<int[]>", "Map<String, Integer>"), "static")),
    ],
)  # fmt: skip
def test_signatures_are_read(language, source, expected):
    assert functions(language, source, "f(1)", None) == [expected]


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("cpp", "struct S {};\nS f(int a) {"),
        ("cpp", "template <class T> T f(T a) {"),
        ("cpp", "auto f(int a) {"),
        ("cpp", "int *f(int a) {"),
        ("cpp", "struct S { int f(int a) { return 1; } };"),
        ("rust", "fn f<T>(a: T) -> T {"),
        ("go", "func f(a chan int) {"),
        ("java", "class Solution { Solution f(int a) {"),
        ("cpp", "int g(int a) {"),
        ("go", "func float64(a int) int {"),
        ("rust", "fn Some(a: i32) -> Option<i32> {"),
    ],
)
def test_other_types_are_not_plain(language, source):
    with pytest.raises(NotPlain):
        functions(language, source, "f(float64(Some(1)))", None)


HOSTILE_TEXTS = [
    *(
        "f(",
        "fn f ",
        "fn f<",
        "fn f()->",
        "func f()",
        "func f(a",
        "f() throws a",
        "/*",
        '\\"',
        "typedef a ",
        "using a=",
    ),
    *(
        "import (\n",
        'import "a"\n',
        "const ",
        "function ",
        "class a static void main",
        "static  ",
        "f(){}",
        "f(a,",
        "'a",
    ),
    *(" ", "{", "int f(int a) {}", "fn f() {}", "func f() {}\n", "f() {\n}\n"),
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_reading_a_hostile_source_takes_linear_time(text):
    started = time.process_time()
    for language in cases.TESTS:
        source = f"class function f {text * (400_000 // len(text))}"
        with contextlib.suppress(NotPlain):
            halves(language, source, "f(1)", None, "words")
        go_file(source)
    assert time.process_time() - started < 10


def test_imports_of_go_are_brought_together_and_unused_ones_left_out():
    text = go_file('package main\nimport "math"\nimport (\n\t"strings"\n\tm "sort"\n)\nvar x = math.Pi + m.F()\n')
    assert " ".join(text.split()) == 'package main import ( "math" m "sort" ) var x = math.Pi + m.F()'


def test_every_language_has_a_row():
    assert set(NAMES) == {"python", *LANGUAGES}
    with pytest.raises(ValueError, match="one of python, cpp"):
        Program(language="cobol", source="")


def test_a_missing_toolchain_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr("sandbox.languages.SEARCHED", "/nowhere")
    tools.cache_clear()
    try:
        with pytest.raises(LanguageUnavailable, match=r"find go for go.*apt install golang-go"):
            tools("go")
    finally:
        tools.cache_clear()
