"""Equal values give equal digests everywhere; what has no stable form is refused."""

import dataclasses
import enum
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.fingerprint import canonical, difference, digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


class Mode(enum.Enum):
    FAST = "fast"


@dataclasses.dataclass(frozen=True)
class Inner:
    bands: int = 32


@dataclasses.dataclass(frozen=True)
class Config:
    jaccard: float = 0.7
    mode: Mode = Mode.FAST
    inner: Inner = dataclasses.field(default_factory=Inner)
    names: tuple[str, ...] = ("a", "b")


@given(JSON)
def test_canonical_is_idempotent(value):
    assert canonical(canonical(value)) == canonical(value)


def test_a_digest_is_the_same_in_another_process():
    code = "from pipelines.fingerprint import digest; print(digest({'b': [1, 2.5, None], 'a': 'x'}))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == digest({"a": "x", "b": (1, 2.5, None)})


@pytest.mark.parametrize(
    "changed",
    [Config(jaccard=0.71), Config(names=("a",)), Config(inner=Inner(bands=31))],
    ids=["float", "tuple", "nested"],
)
def test_any_changed_field_changes_the_digest(changed):
    assert digest(Config()) == digest(Config())
    assert digest(changed) != digest(Config())


@pytest.mark.parametrize("value", [Path("x"), {1: "a"}, object(), {"f": len}, float("nan"), {"s": {1, 2}}])
def test_a_value_without_a_stable_form_is_refused(value):
    with pytest.raises(ValueError, match="value"):
        digest(value)


def test_a_difference_names_the_field_and_both_values():
    old, new = canonical(Config()), canonical(Config(inner=Inner(bands=16), names=("a", "c")))
    assert difference(old, new) == ["inner.bands: 32 -> 16", 'names: ["a", "b"] -> ["a", "c"]']
