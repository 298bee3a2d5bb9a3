"""Very many programs in a row: nothing grows, here or in the jail."""

from pathlib import Path

import pytest

import sandbox
from sandbox import Program, Status, pool

pytestmark = [pytest.mark.jail, pytest.mark.usefixtures("jail")]
PASSES = Program(source="def f(x):\n    return x + 1\n", tests="assert f(1) == 2")
KINDS = (
    (PASSES, Status.PASSED),
    (Program(source="print('x' * 1000)", stdin="y"), Status.FINISHED),
    (Program(source="def f(x):\n    return x", tests="assert f(1) == 2"), Status.FAILED),
    (Program(source="open('/tmp/x', 'w').write('x' * 10000)\n1 / 0"), Status.CRASHED),
    (Program(source="def f("), Status.COMPILE_ERROR),
    (Program(source="import os\nif os.fork() == 0:\n    os.fork()\nprint(1)"), Status.FINISHED),
    (Program(source="def f(x):\n    return x\n", tests="for i in range(3):\n    assert f(i) == i"), Status.PASSED),
)


def jails() -> list[int]:
    """The pid 1 of every idle jail, as seen from here."""
    outside = [worker._process.pid for workers in pool.IDLE._idle.values() for worker in workers]
    return [int(Path(f"/proc/{pid}/task/{pid}/children").read_text()) for pid in outside]


def size(pid: int | str) -> dict[str, int]:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    folder = Path(f"/proc/{pid}")
    return {
        "KiB": int(fields["RssAnon"].split()[0]),
        "threads": int(fields["Threads"]),
        "files": len([*(folder / "fd").iterdir()]),
        "mounts": len((folder / "mountinfo").read_text().splitlines()),
        "children": len((folder / "task" / fields["Pid"].strip() / "children").read_text().split()),
    }


@pytest.mark.parametrize(
    "count", [pytest.param(350, id="350"), pytest.param(100_000, id="100,000", marks=pytest.mark.slow)]
)
def test_nothing_grows(count):
    def run(number):
        programs = [KINDS[i % len(KINDS)] for i in range(number)]
        outcomes = sandbox.run_many(program for program, _ in programs)
        wrong = [
            outcome for outcome, (_, status) in zip(outcomes, programs, strict=True) if outcome.status is not status
        ]
        assert not wrong

    pool.IDLE.close()
    run(140)  # until every cache is full
    places = ["self", *jails()]
    before = [size(place) for place in places]
    for _ in range(count // 350):
        run(350)
    assert ["self", *jails()] == places  # no jail was replaced
    grown = [
        {name: now[name] - then[name] for name in now} for now, then in zip(map(size, places), before, strict=True)
    ]
    print(grown)
    assert all(growth.pop("KiB") <= 2048 for growth in grown)
    assert all(value <= 0 for growth in grown for value in growth.values())
