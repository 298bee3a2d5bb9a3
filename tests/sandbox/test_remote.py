"""Tests that run in a process of their own: what they may do with a candidate, and that none of its tricks passes."""

import time

import pytest

import sandbox
from sandbox import Limits, Program, Status
from sandbox.judge import judge_by_tests
from sandbox.worker import Worker

pytestmark = [pytest.mark.jail, pytest.mark.usefixtures("jail")]
LIMITS = Limits(wall_seconds=30, cpu_seconds=3, memory_bytes=256 << 20)


@pytest.fixture(scope="module")
def judged():
    """Tests on the general path, even where they are literal."""
    workers = Worker(), Worker()
    yield lambda source, tests, limits=LIMITS, **fields: judge_by_tests(
        *workers, Program(source=source, tests=tests, **fields), limits
    )
    for worker in workers:
        worker.close()


LINKED = """
class Node:
    def __init__(self, value, next=None):
        self.value, self.next = value, next
def f(values):
    head = None
    for value in reversed(values):
        head = Node(value, head)
    return head
def last(node):
    return node if node.next is None else last(node.next)
"""
STACK = """
class Stack:
    def __init__(self): self.items = []
    def push(self, item): self.items.append(item)
    def __len__(self): return len(self.items)
    def __getitem__(self, index): return self.items[index]
    def __setitem__(self, index, item): self.items[index] = item
    def __str__(self): return f"Stack({self.items})"
    def __enter__(self): return self
    def __exit__(self, *_): self.items.clear()
"""
ACCOUNT = """
class TooLittle(ValueError):
    def __init__(self, missing):
        super().__init__(f"{missing} too little")
        self.missing = missing
def f(x):
    raise TooLittle(x)
"""
RECORD = "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(): return P(1, 2)"

HONEST = {
    "a loop": ("def f(x): return x + 1", "for i in range(5):\n    assert f(i) == i + 1"),
    "a check": ("def f(x): return x", "def check(candidate):\n    for i in (1, 2):\n        assert candidate(i) == i"),
    "a check that the tests call": ("def f(x): return x", "def check(g):\n    assert g(1) == 1\ncheck(f)"),
    "a main block": ("def f(x): return x", "if __name__ == '__main__':\n    assert f(2) == 2"),
    "a helper": ("def f(x): return x / 3", "def close(a, b): return abs(a - b) < 1e-9\nassert close(f(1), 1 / 3)"),
    "a name that is a builtin's": ("def sum(a, b): return a - b", "assert sum(3, 1) == 2\nassert sum(4, 1) == 3"),
    "a standard module of the candidate's": (
        "import sys\nf = sys.getsizeof",
        "for x in ((), 'a'):\n    assert f(x) == sys.getsizeof(x)",
    ),
    "a linked list": (
        LINKED,
        "h, seen = f([1, 2]), []\nwhile h:\n    seen.append(h.value)\n    h = h.next\nassert seen == [1, 2]",
    ),
    "identity of objects": (LINKED, "h = f([1, 2])\nassert last(h) is h.next and last(h) == h.next and h != h.next"),
    "objects that go back": (LINKED, "a = Node(1)\na.next = Node(2)\nassert last(a).value == 2 and {a: 1}[a] == 1"),
    "None and objects": (LINKED, "assert f([]) is None and f([1]) is not None and f([1]).next == None"),
    "a container": (
        STACK,
        "s = Stack()\ns.push(4)\ns[0] += 1\nassert (len(s), s[0], list(s), 5 in s) == (1, 5, [5], True)",
    ),
    "truth of a container": (STACK, "s = Stack()\nassert not s\ns.push(1)\nassert s"),
    "text of an object": (STACK, "s = Stack()\nassert str(s) == 'Stack([])' == f'{s}'"),
    "a context manager": (STACK, "with Stack() as s:\n    s.push(1)\nassert len(s) == 0"),
    "isinstance": (STACK, "assert isinstance(Stack(), Stack) and not isinstance(3, Stack)"),
    "a copy": (STACK, "import copy\ns = Stack()\nt = copy.deepcopy(s)\nt.push(1)\nassert (len(s), len(t)) == (0, 1)"),
    "changed arguments": (
        "def f(m):\n    m.reverse()\n    m[0].append(9)",
        "a, b = [1], [2]\nm = [a, b]\nf(m)\nassert m == [[2, 9], [1]] and m[0] is b and b == [2, 9]",
    ),
    "a changed dict, set, deque": (
        "def f(d, s, q, *, k):\n    d['x'] = s\n    s.add(3)\n    q.append(4)\n    k[0][0] = 5",
        """
from collections import deque
d, s, q, k = {}, {1}, deque(), [[0]]
f(d, s, q, k=k)
assert d == {'x': {1, 3}} and d['x'] is s and list(q) == [4] and k == [[5]]
""",
    ),
    "changed, then an exception": (
        "def f(m):\n    m.append(1)\n    1 / 0",
        "m = []\ntry:\n    f(m)\nexcept ZeroDivisionError:\n    pass\nassert m == [1]",
    ),
    "a returned argument": ("def f(m): return m", "m = [1]\nassert f(m) is m"),
    "an exception": (
        "def f(x): return {}[x]",
        "try:\n    f('a')\nexcept KeyError as e:\n    assert e.args == ('a',)\nelse:\n    assert False",
    ),
    "an exception of its own": (
        ACCOUNT,
        "try:\n    f(3)\n    assert False\nexcept TooLittle as e:\n    assert str(e) == '3 too little' and e.missing == 3",
    ),
    "an exception of its own by its base": (ACCOUNT, "try:\n    f(3)\n    assert False\nexcept ValueError:\n    pass"),
    "a generator": ("def f(n): yield from range(n)", "assert list(f(3)) == [0, 1, 2] and sum(f(2000)) == 1999000"),
    "an endless generator": (
        "import itertools\ndef f(): return itertools.count()",
        "import itertools\ng = f()\nassert next(g) == 0 and next(g) == 1 and list(itertools.islice(g, 3)) == [2, 3, 4]",
    ),
    "a generator that raises": (
        "def f():\n    yield 1\n    yield 2\n    raise ValueError('x')",
        """
got = []
try:
    for x in f():
        got.append(x)
except ValueError:
    got.append('x')
assert got == [1, 2, 'x']
""",
    ),
    "a callback": ("def f(g, x): return g(g(x))", "assert f(lambda v: v * 2, 3) == 12"),
    "a callback that raises": (
        "def f(g):\n    try:\n        g()\n    except ValueError as e:\n        return str(e)",
        "def g():\n    raise ValueError('mine')\nassert f(g) == 'mine'",
    ),
    "callbacks into each other": (
        """
def memo(f):
    known = {}
    def g(n):
        if n not in known:
            known[n] = f(n)
        return known[n]
    return g
""",
        "fib = memo(lambda n: n if n < 2 else fib(n - 1) + fib(n - 2))\nassert fib(20) == 6765",
    ),
    "builtins as arguments": (
        "def f(g, x): return g(x)",
        "assert f(len, [1]) == 1 and f(int, '3') == 3 and f(sorted, [2, 1]) == [1, 2]",
    ),
    "types as results": ("def f(x): return type(x)", "assert f(1) is int and f('') == str"),
    "an object of the tests": (
        "def f(o):\n    o.value += 1\n    return o.double()",
        "class O:\n    value = 1\n    def double(self): return 2 * self.value\no = O()\nassert f(o) == 4 and o.value == 2",
    ),
    "an argument that is an iterator": (
        "def f(xs): return [x for x in xs]",
        "assert f(x * x for x in range(4)) == [0, 1, 4, 9]",
    ),
    "a namedtuple": (
        RECORD,
        "p = f()\nx, y = p\nassert p == (1, 2) and (p.x, y) == (1, 2) and p._asdict() == {'x': 1, 'y': 2}",
    ),
    "an enum": (
        "import enum\nclass E(enum.IntEnum):\n    A = 1\ndef f(): return E.A",
        "assert f() == 1 and f().name == 'A' and f() is E.A",
    ),
    "a list of its own": (
        "class L(list):\n    def push(self, x): self.append(x)\ndef f(): return L([1])",
        "l = f()\nl.push(2)\nassert l == [1, 2] and isinstance(l, list) and [f()] == [[1]] and l != [1]",
    ),
    "dates": (
        "import datetime as d\ndef f(x): return x + d.timedelta(1)",
        "import datetime as d\nassert f(d.date(2024, 2, 28)) == d.date(2024, 2, 29)",
    ),
    "a big argument": ("def f(x): return len(x)", "assert f(list(range(1_000_000))) == 1_000_000"),
    "many keys": ("def f(n): return set(range(n))", "assert f(50_000) == set(range(50_000))"),
    "threads": (
        """
from concurrent.futures import ThreadPoolExecutor
def f(g, xs):
    with ThreadPoolExecutor(3) as executor:
        return list(executor.map(g, xs))
""",
        "assert f(lambda x: x + 1, [1, 2, 3, 4]) == [2, 3, 4, 5]",
    ),
    "names in a class body and in eval": (
        "def f(): return 7\nN = 7",
        "class T:\n    n = f()\nassert T.n == eval('N') == 7",
    ),
}


@pytest.mark.parametrize("name", HONEST)
def test_what_honest_tests_do_works(judged, name):
    source, tests = HONEST[name]
    outcome = judged(source, tests, entry_point="f" if "candidate" in tests else None)
    assert outcome.status is Status.PASSED, outcome


def test_numpy_arrays_cross(judged):
    pytest.importorskip("numpy")
    tests = "import numpy as np\na = np.ones(2)\nassert np.allclose(f(a), [2, 2]) and (f(a) == np.array([2, 2])).all()"
    assert judged("def f(x): return x * 2", tests).status is Status.PASSED


ALWAYS_EQUAL = """
class A:
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = lambda self, other: True
    __sub__ = __rsub__ = __abs__ = __add__ = __radd__ = __mul__ = __round__ = lambda self, *other: self
    __hash__ = __len__ = __index__ = __int__ = lambda self: 0
    __bool__ = lambda self: True
    __iter__ = lambda self: iter([])
"""
TESTS = "for i in (1, 2):\n    assert f(i) == [i]\n"
CHEATS = {
    "always equal": (ALWAYS_EQUAL + "def f(x): return A()", TESTS),
    "always equal, the other way round": (
        ALWAYS_EQUAL + "def f(x): return A()",
        "for i in (1, 2):\n    assert [i] == f(i)",
    ),
    "always equal, inside": (ALWAYS_EQUAL + "def f(x): return [A()]", TESTS),
    "always unequal": (ALWAYS_EQUAL + "def f(x): return A()", "for i in (1, 2):\n    assert f(i) != i"),
    "always close": (ALWAYS_EQUAL + "def f(x): return A()", "for i in (1, 2):\n    assert abs(f(i) - i) < 1e-6"),
    "always in": (ALWAYS_EQUAL + "def f(x): return A()", "for i in (1, 2):\n    assert i in f(i)"),
    "always true": (ALWAYS_EQUAL + "def f(x): return A()", "for i in (1, 2):\n    assert f(i)"),
    "an int that is any": (
        "class A(int):\n    __eq__ = lambda s, o: True\ndef f(x): return A(0)",
        "for i in (1, 2):\n    assert f(i) == i",
    ),
    "a str that is any": (
        "class A(str):\n    __eq__ = lambda s, o: True\ndef f(x): return A()",
        "for i in 'ab':\n    assert f(i) == i",
    ),
    "a list that is any": ("class A(list):\n    __eq__ = __ne__ = lambda s, o: True\ndef f(x): return A()", TESTS),
    "a dict that is any": (
        "class A(dict):\n    __eq__ = lambda s, o: True\n    __missing__ = lambda s, k: k\ndef f(x): return A()",
        "assert f(1) == {1: 1}",
    ),
    "a float near anything": (
        "class A(float):\n    __sub__ = __rsub__ = __abs__ = lambda *a: 0.0\ndef f(x): return A(99)",
        "for i in (1, 2):\n    assert abs(f(i) - i) < 1e-6",
    ),
    "a lying __class__": (
        "class A:\n    __class__ = list\n    __eq__ = lambda s, o: True\ndef f(x): return A()",
        TESTS,
    ),
    "a metaclass that is equal": (
        "class M(type):\n    __eq__ = lambda s, o: True\n    __hash__ = None\nclass A(metaclass=M): pass\ndef f(x): return A",
        TESTS,
    ),
    "an instance of anything": (
        "class M(type):\n    __instancecheck__ = lambda c, o: True\nclass A(metaclass=M): pass\ndef f(x): return A()",
        "for i in (1, 2):\n    assert isinstance(f(i), list)",
    ),
    "patched builtins": (
        """
import builtins
builtins.len = builtins.abs = builtins.all = lambda *a: 1
builtins.isinstance = lambda *a: True
builtins.AssertionError = ValueError
def f(x): return [0, 0]
""",
        "for i in (1, 2):\n    assert len(f(i)) == 1 and all([f(i)[0]])",
    ),
    "a builtin's name": (
        "abs = len = all = lambda *a: 0\ndef f(x): return 5",
        "for i in (1, 2):\n    assert abs(f(i) - i) < 1",
    ),
    "a module's name": (
        "class math:\n    isclose = lambda *a, **k: True\ndef f(x): return 5",
        "for i in (1, 2):\n    assert math.isclose(f(i), i)",
    ),
    "an alias": (
        "class np:\n    allclose = lambda *a, **k: True\ndef f(x): return 5",
        "for i in (1, 2):\n    assert np.allclose(f(i), i)",
    ),
    "a name of the tests": ("def check(g): pass\ndef f(x): pass", "def check(g):\n    assert g(1) == 1\ncheck(f)"),
    "os._exit": ("import os\ndef f(x): os._exit(0)", TESTS),
    "os._exit at once": ("import os\nos._exit(0)", TESTS),
    "sys.exit": ("import sys\ndef f(x): sys.exit(0)", TESTS),
    "atexit": ("import atexit, os\natexit.register(os._exit, 0)\ndef f(x): raise SystemExit", TESTS),
    "KeyboardInterrupt": ("def f(x): raise KeyboardInterrupt", TESTS),
    "GeneratorExit": ("def f(x): raise GeneratorExit", TESTS),
    "StopIteration": ("def f(x): raise StopIteration", "assert all(f(i) == i for i in (1, 2))"),
    "a BaseException of its own": ("class E(BaseException): pass\ndef f(x): raise E", TESTS),
    "an exception that cannot be shown": (
        """
class E(Exception):
    def __str__(self, *_): raise SystemExit
    __repr__ = __getattribute__ = __str__
def f(x): raise E
""",
        TESTS,
    ),
    "a crash": ("import ctypes\ndef f(x): ctypes.string_at(0)", TESTS),
    "an endless loop": ("def f(x):\n    while True: pass", TESTS),
    "an endless iterator": ("import itertools\ndef f(x): return itertools.repeat(1)", "assert list(f(1)) == [1]"),
    "an endless list": (
        "class A(list):\n    def __iter__(s):\n        while True: yield 1\ndef f(x): return A()",
        TESTS,
    ),
    "a deep list": ("def f(x):\n    r = []\n    for _ in range(10**5): r = [r]\n    return r", TESTS),
    "a huge list": ("def f(x): return [0] * 10**7", TESTS),
    "a huge text": ("def f(x): return 'x' * (20 << 20)", TESTS),
    "colliding integers": ("def f(x): return {i * (2**61 - 1) for i in range(1, 20_000)}", TESTS),
    "changed arguments": ("def f(x):\n    x.clear()\n    return []", "for i in (1, 2):\n    assert f([i]) == [i]"),
    "a callback it does not call": ("def f(g): return 3", "seen = []\nf(seen.append)\nassert seen == [1]"),
    "a callback's globals": (
        """
def f(g):
    for name in ('__globals__', '__code__', '__closure__', '__builtins__', '__self__', 'gi_frame'):
        try: return getattr(g, name)['expected']
        except AttributeError: pass
""",
        "expected = [1, 2]\ndef g(): pass\nassert f(g) == expected",
    ),
    "an object's class": (
        "def f(o):\n    return (o._secret, vars(type(o)), o.__dict__)[0]",
        "class O:\n    _secret = 1\nassert f(O()) == 1",
    ),
    "a generator's frame": (
        "def f(g): return g.gi_frame.f_globals['expected']",
        "expected = 3\nassert f(x for x in [1]) == expected",
    ),
    "a bound method's owner": (
        "def f(g): return g.__self__.secret",
        "class O:\n    secret = 3\n    def m(self): pass\nassert f(O().m) == 3",
    ),
    "recursion through the tests": ("def f(g): return g()", "def g(): return f(g)\nassert f(g) == 1"),
    "another name for AssertionError": (
        "E = AssertionError\ndef f(x): return x",
        "try:\n    f(1)\n    assert False\nexcept E:\n    pass",
    ),
    "nothing": ("", TESTS),
    "not Python": ("def f(x", TESTS),
    "nothing called": ("def f(x): return [x]\nmany = []", "for i in many:\n    assert f(i) == [i]"),
}
PEER = """
import gc, json, os, struct
from sandbox import child
def say(frame):
    os.write(child.CALLS, struct.pack('<I', len(frame)) + frame)
"""
FORGED = {
    "a last word": "say(b'.' + json.dumps({'nonce': '', 'status': 'passed', 'detail': ''}).encode())",
    "answers ahead": "[say(b'=[[' + str(i).encode() + b'],[]]') for i in range(50)]",
    "a huge frame": "os.write(child.CALLS, struct.pack('<I', 2**32 - 1))",
    "an empty frame": "say(b'')",
    "half a frame": "os.write(child.CALLS, b'\\x10'); os._exit(0)",
    "nonsense": "say(b'=' + os.urandom(100))",
    "a foreign handle": 'say(b\'={"h":["yours",7]}\')',
    "a negative handle": 'say(b\'=[{"h":["yours",-1]},[]]\')',
    "a builtin function": 'say(b\'=[{"h":["builtin","eval"]},[]]\')',
    "an unknown kind": 'say(b\'=[{"h":["mine",3,["x",1,"always","eval"],null]},[]]\')',
    "another's exception": 'say(b\'![["SystemExit","",[],{}],[]]\')',
    "a wild change": "say(b'=[1,[[99,[1]]]]')",
    "a call of ours": 'say(b\'?["call",[{"h":["yours",0]}],{}]\')',
    "a global of ours": 'say(b\'?["global",["expected"],{}]\')',
    "an attribute of a text": 'say(b\'?["getattr",["x","format"],{}]\')',
    "deep": "say(b'=' + b'[' * 10**6)",
    "a word to the host": "say(b'.[1,[]]')",
    "two words at once": "os.write(child.CALLS, 2 * (struct.pack('<I', 8) + b'=[4,[]]]'))",
    "a closed socket": "os.close(child.CALLS)",
    "a socket shut for reading": "import socket; socket.socket(fileno=os.dup(child.CALLS)).shutdown(socket.SHUT_RD)",
    "a word to a socket that is not its own": "os.write(4, b'\\x01\\0\\0\\0.')",
}


@pytest.mark.parametrize("name", CHEATS)
def test_no_cheat_passes(judged, name):
    source, tests = CHEATS[name]
    outcome = judged(source, tests, Limits(wall_seconds=8, cpu_seconds=2, memory_bytes=256 << 20))
    assert outcome.status not in {Status.PASSED, Status.NOT_SCORED}, outcome


@pytest.mark.parametrize("at", ["import", "call"])
@pytest.mark.parametrize("name", FORGED)
def test_no_forged_frame_passes(judged, name, at):
    body = FORGED[name]
    source = PEER + (f"{body}\ndef f(x): return 3" if at == "import" else f"def f(x):\n    {body}\n    return 3")
    outcome = judged(
        source, "expected = 4\nfor i in (1, 2):\n    assert f(i) == expected", Limits(wall_seconds=15, cpu_seconds=2)
    )
    assert outcome.status not in {Status.PASSED, Status.NOT_SCORED}, outcome


def test_the_candidate_never_sees_the_tests(judged):
    source = """
import gc, sys
def f(x):
    seen = [o for o in gc.get_objects() if isinstance(o, (str, bytes, bytearray, list, dict))]
    frame = sys._getframe()
    while frame:
        seen += map(repr, frame.f_locals.values())
        frame = frame.f_back
    with open('/proc/self/maps') as maps:
        for line in maps:
            if '[heap]' in line or '[stack]' in line:
                start, end = (int(part, 16) for part in line.split()[0].split('-'))
                import ctypes
                seen.append(ctypes.string_at(start, end - start))
    return sum(1 for o in seen if 'fifty'  'two' in repr(o)) + sum(1 for o in seen if isinstance(o, bytes) and b'fifty' b'two' in o)
"""
    outcome = judged(source, "secret = 'fiftytwo'\nfor i in (1,):\n    assert f(i) == 0")
    assert outcome.status is Status.PASSED, outcome


@pytest.mark.parametrize(
    ("tests", "status", "detail"),
    [
        ("assert f(1) == 3", Status.FAILED, "assert f(1) == 3"),
        ("for i in (1,):\n    assert f(i).size == 1", Status.FAILED, "the tests end in AttributeError"),
        ("assert missing(1)", Status.FAILED, "NameError: name 'missing' is not defined in: assert missing(1)"),
        ("f()", Status.CRASHED, "TypeError"),
        ("f(1)\nimport sys\nsys.exit(0)", Status.FAILED, "the tests end in SystemExit"),
        ("f(1)\nimport os\nos._exit(0)", Status.FAILED, "the tests: exit status 0"),
        ("f(1)\nimport ctypes\nctypes.string_at(0)", Status.FAILED, "the tests: killed by SIGSEGV"),
        ("f(1)\nwhile True: pass", Status.TIMEOUT, "the tests: more than 1 s of CPU"),
        ("f(1)\nimport time\ntime.sleep(99)", Status.TIMEOUT, "the tests: not ended in time"),
        ("f(1)\nx = bytearray(10 ** 9)", Status.FAILED, "the tests end in MemoryError"),
        ("f(1)\nimport re\nf(re.compile(''))", Status.NOT_COMPARABLE, "the tests pass an object of class Pattern"),
        ("pass", Status.NOT_SCORED, "do not use the candidate"),
        ("import pytest", Status.NOT_SCORED, "No module named 'pytest'"),
        ("import os\nos._exit(0)", Status.NOT_SCORED, ""),
        ("g = f", Status.FAILED, "had not called"),
    ],
)
def test_how_tests_end(judged, tests, status, detail):
    limits = Limits(wall_seconds=6, cpu_seconds=1, memory_bytes=128 << 20)
    outcome = judged("def f(x): return x + 1", tests, limits)
    assert (outcome.status, detail in outcome.detail) == (status, True), outcome


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("import time\ntime.sleep(99)\ndef f(x): return x", "no answer in time"),
        ("import time\ndef f(x): time.sleep(99)", "no answer in time"),
        ("import os, signal\ndef f(x): os.kill(os.getpid(), signal.SIGSTOP)", "no answer in time"),
    ],
)
def test_who_was_late_is_told(judged, source, detail):
    outcome = judged(source, "for i in (1,):\n    assert f(i) == i", Limits(wall_seconds=1))
    assert (outcome.status, outcome.detail) == (Status.TIMEOUT, detail), outcome


FLOOD = """
import array, socket
sock = socket.socket(fileno=3)
kept = socket.socketpair()
def f(x):
    part = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [end.fileno() for end in kept]))]
    sock.sendmsg([bytes.fromhex('07000000') + b'=[1,[]]'], part)
    for _ in range(20):
        sock.sendmsg([b'x'], part)  # which nobody reads
    return x
"""


def test_descriptors_on_their_way_to_the_tests_end_with_the_program(judged):
    for _ in range(2):
        started = time.monotonic()
        assert judged(FLOOD, "for i in (1,):\n    assert f(i) == i").status is Status.PASSED
        assert judged("def f(x): return x", "for i in (1,):\n    assert f(i) == i").status is Status.PASSED
        assert time.monotonic() - started < 5  # the jails wait for the sockets that are left


def test_check_in_a_text_is_not_called(judged):
    tests = '"""\ndef check(candidate):\n"""\nfor i in (1,):\n    assert f(i) == i'
    assert judged("def f(x): return x", tests, entry_point="f").status is Status.PASSED


def test_a_name_that_is_no_function_is_the_candidates_fault(judged):
    outcome = judged("f = 5", "def check(candidate):\n    for i in (1,):\n        assert candidate(i)", entry_point="f")
    assert (outcome.status, outcome.detail) == (Status.CRASHED, "TypeError: 'f' is not a function")


def test_helpers_come_from_the_context_where_there_is_one(judged):
    cheat = "def double(x): return x\ndef f(x): return x"
    tests = "for i in (1, 2):\n    assert double(f(i)) == i"
    assert judged(cheat, tests).status is Status.PASSED  # what the tests call by name is the candidate's
    context = "def double(x): return 2 * x\ndef f(x):\n    '''Halve.'''"
    assert judged(cheat, tests, context=context, entry_point="f").status is Status.FAILED
    assert judged("def f(x): return x / 2", tests, context=context, entry_point="f").status is Status.PASSED


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("def f(x):\n    return (i for i in [x])", Status.PASSED),
        ("class A:\n    def __iter__(self): return iter([1])\ndef f(x): return A()", Status.PASSED),
        ("def f(x): return object()", Status.CRASHED),
    ],
)
def test_an_object_in_a_literal_test_is_used_by_reference(source, status):
    assert sandbox.run(Program(source=source, tests="assert list(f(1)) == [1]")).status is status


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("print(1, 2, ' ')\nprint(3)", Status.PASSED),
        ("print('1 2\\r\\n3\\n\\n')", Status.PASSED),
        ("print(1, 2)", Status.FAILED),
        ("print(' 1 2\\n3')", Status.FAILED),
        ("print('1 2\\n\\n3')", Status.FAILED),
        ("print('1 2\\n3')\n1 / 0", Status.CRASHED),
        ("print('1 2\\n3', flush=True)\nimport os\nos.abort()", Status.CRASHED),
        ("print('1 2\\n3')\nraise SystemExit(1)", Status.CRASHED),
        ("print('1 2\\n3', flush=True)\nimport os\nos._exit(0)", Status.PASSED),
        ("", Status.FAILED),
    ],
)
def test_output_is_compared_outside(source, status):
    outcome = sandbox.run(Program(source=source, expected_stdout="1 2\n3\n"))
    assert outcome.status is status, outcome


def test_tests_and_expected_output_exclude_each_other():
    with pytest.raises(ValueError, match="must be None"):
        Program(source="", tests="assert f()", expected_stdout="")
