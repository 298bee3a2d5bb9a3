"""The command line: what it prints, and its exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

import sandbox
from sandbox import Outcome, SandboxUnavailable, Status, __main__

ROOT = Path(sandbox.__file__).parent.parent


@pytest.fixture
def command(tmp_path, capsys):
    """Run a command on files of these texts; its exit code, output and errors."""

    def run(*words, **files):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        try:
            code = __main__.main([str(tmp_path / word) if word in files else word for word in words])
        except SystemExit as leave:
            code = leave.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.mark.jail
@pytest.mark.usefixtures("jail")
class TestRun:
    def test_a_script(self, command):
        code, out, errors = command("run", "program", "--stdin", "text", program="print(input())", text="hello\n")
        assert (code, out) == (0, "hello\n")
        assert errors.startswith("status  finished\ntime    0.")

    def test_a_solution_and_its_tests(self, command):
        files = {"program": "def f(x):\n    return x + 1", "good": "assert f(1) == 2", "bad": "assert f(1) == 3"}
        assert command("run", "program", "--tests", "good", **files)[0] == 0
        code, out, errors = command("run", "program", "--tests", "bad", **files)
        assert (code, out) == (1, "")
        assert errors.startswith("status  failed\ndetail  assert f(1) == 3\n")

    def test_expected_output(self, command):
        files = {"program": "print(1)", "good": "1\n", "bad": "2\n"}
        assert [command("run", "program", "--stdout", name, **files)[0] for name in ("good", "bad")] == [0, 1]

    def test_limits(self, command):
        code, _, errors = command("run", "program", "--wall-seconds", "0.5", program="import time; time.sleep(60)")
        assert code == 1
        assert "status  timeout" in errors

    def test_from_a_shell(self, tmp_path):
        (tmp_path / "a.py").write_text("print('x')\nraise SystemExit(3)")
        command = [sys.executable, "-m", "sandbox", "run", str(tmp_path / "a.py")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout) == (1, "x\n")
        assert done.stderr.startswith("status  crashed\ndetail  exit status 3")


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("run", "/no/such/file"),
        ("run", "program", "--language", "cobol"),
        ("run", "program", "--wall-seconds", "0"),
        ("run", "program", "--tests", "program", "--stdin", "program"),
        ("chek",),
    ],
)
def test_a_wrong_command_line(command, words):
    code, out, errors = command(*words, program="1")
    assert (code, out) == (2, "")
    assert "python -m sandbox" in errors


def test_a_terminal_does_not_obey_a_program(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    __main__._show(Outcome(status=Status.CRASHED, stdout="a\x1b[2Jb\t\x9bc", detail="\x1b]0;title\x07"))
    printed = capsys.readouterr()
    assert printed.out == "a\\x1b[2Jb\t\\x9bc\n"
    assert "detail  \\x1b]0;title\\x07\n" in printed.err


@pytest.mark.jail
@pytest.mark.usefixtures("jail")
def test_check_names_what_is_there_and_what_is_missing(monkeypatch, capsys):
    from sandbox import languages, program, toolchains

    def tools(language):
        if language == "java":
            raise program.LanguageUnavailable("find javac for java", "apt install openjdk-17-jdk-headless")
        return {"bash": "/bin/bash"}

    monkeypatch.setattr(languages, "tools", tools)
    monkeypatch.setattr(toolchains, "prepare", lambda language: "")
    assert __main__.main(["check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  keep the network away             ok" in lines
    assert "  java                              missing; apt install openjdk-17-jdk-headless" in lines
    assert any(line.startswith("  shell                             GNU bash") for line in lines)


def test_where_nothing_can_run_the_step_and_the_cure_are_told(monkeypatch, capsys, command):
    from sandbox import pool

    def refuse(*_, **__):
        raise SandboxUnavailable("cannot map the user", "allow user namespaces")

    monkeypatch.setattr(pool, "run", refuse)
    monkeypatch.setattr(__main__, "_check_languages", lambda: None)
    assert __main__.main(["check"]) == 3
    printed = capsys.readouterr().out
    assert "FAILED" in printed
    assert "To do: allow user namespaces" in printed
    code, _, errors = command("run", "program", program="")
    assert code == 3
    assert "cannot map the user; next: allow user namespaces" in errors
