"""Plain values cross whole; anything else is refused or opaque, and never a fault."""

import collections
import contextlib
import datetime
import decimal
import enum
import fractions
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import values

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False)
)
HASHABLE = st.recursive(ATOMS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=6)
PLAIN = st.recursive(
    HASHABLE,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(HASHABLE, inner, max_size=4) | st.sets(HASHABLE, max_size=4)
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_plain_values_cross_with_their_types(value):
    crossed = values.unpack(values.pack(value))
    assert (crossed, type(crossed)) == (value, type(value))
    assert repr(crossed) == repr(value) or isinstance(value, (set, frozenset, dict, list, tuple))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("tszdbBcrDFoi?"), inner, max_size=2),
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_a_value_or_a_bad_value(frame):
    with contextlib.suppress(values.BadValue, values.NotComparable):
        values.unpack(frame)


class Liar(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class Colour(enum.IntEnum):
    RED = 1


def test_a_subclass_arrives_as_its_base():
    arrived = values.unpack(
        values.pack([Liar(7), Colour.RED, collections.Counter("aab"), collections.OrderedDict(a=1)])
    )
    assert arrived == [7, 1, {"a": 2, "b": 1}, {"a": 1}]
    assert [type(value) for value in arrived] == [int, int, collections.Counter, collections.OrderedDict]


def test_numbers_at_the_edges():
    edges = [math.inf, -math.inf, -0.0, 10**17, -(10**18), 2**4000, decimal.Decimal("1.10"), fractions.Fraction(1, 3)]
    assert [str(value) for value in values.unpack(values.pack(edges))] == [str(value) for value in edges]
    assert math.isnan(values.unpack(values.pack(math.nan)))


STANDARD = [
    collections.Counter("aab"),
    collections.OrderedDict(b=1, a=2),
    collections.deque([1, 2], maxlen=3),
    datetime.date(2024, 2, 29),
    datetime.datetime(2024, 2, 29, 1, 2, 3, 4),  # noqa: DTZ001
    datetime.timedelta(-1, 5),
]


@pytest.mark.parametrize("value", STANDARD, ids=lambda value: type(value).__name__)
def test_values_of_the_standard_library_cross_with_their_types(value):
    crossed = values.unpack(values.pack(value))
    assert (crossed, type(crossed), repr(crossed)) == (value, type(value), repr(value))


def test_views_of_a_dict_keep_their_order():
    views = {"b": 1, "a": 2}
    crossed = [values.unpack(values.pack(view)) for view in (views.keys(), views.values(), views.items())]
    assert [list(view) for view in crossed] == [["b", "a"], [1, 2], [("b", 1), ("a", 2)]]
    assert (crossed[0], crossed[2]) == (views.keys(), views.items())


def test_many_keys_cross_and_colliding_ones_do_not():
    many = set(range(50_000)) | {str(i) for i in range(20_000)}
    assert values.unpack(values.pack(many)) == many
    values.check_keys([7] * 50_000)  # one key, often
    with pytest.raises(values.BadValue, match="one hash"):
        values.check_keys([i * (2**61 - 1) for i in range(5000)])


def test_an_object_is_opaque_and_compares_with_nothing():
    arrived = values.unpack(values.pack([object()]))[0]
    for compare in (
        lambda: arrived == 1,
        lambda: arrived != 1,
        lambda: arrived < 1,
        lambda: bool(arrived),
        lambda: 1 in [arrived],
        lambda: list(arrived),
        lambda: len(arrived),
        lambda: abs(arrived - 1),
        lambda: float(arrived),
        lambda: {arrived},
    ):
        with pytest.raises(values.NotComparable):
            compare()


@pytest.mark.parametrize(
    "frame",
    [
        b"[" * 100_000,
        b'{"t":' * 1000 + b"[]" + b"}" * 1000,
        b'{"r":[0,10000000000]}',
        b'{"i":"0x' + b"f" * 200_000 + b'"}',
        b'{"D":"1e999999999"}',
        b'{"F":["1e999999999",1]}',
        b'{"F":[1,0]}',
        b'{"s":[[1]]}',
        b'{"d":[[1]]}',
        b'{"z":' + json.dumps([i * (2**61 - 1) for i in range(1, 20_000)]).encode() + b"}",
        b'{"__class__":"os"}',
        b"{}",
        b"",
        b"\xff",
        b"9" * 1_000_000,
        b"1 2",
        b" 1",
        b"nonsense",
    ],
    ids=lambda frame: frame[:12],
)
def test_hostile_frames_are_bad_values(frame):
    with pytest.raises(values.BadValue):
        values.unpack(frame)
