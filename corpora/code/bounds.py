"""What a file may measure: one row a bound, each with the source of its number, in three presets.

The first bound in the order of the table that a file breaks is its reason; cheap signals come first. A number here may only
change together with VERSION, which is part of what identifies the stage; a test holds one against the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VERSION = 2
"""Of this table: 1 is the first that is a table; in 2 ours has signals of its own where the published ones take good files."""

_STACK = "The Stack (arXiv 2211.15533), section 2: files under 1 MB"
_STARCODER2 = "StarCoder2 (arXiv 2402.19173), section 3"
_DEEPSEEK = "DeepSeek-Coder (arXiv 2401.14196), section 2.1"
_OPENCODER = "OpenCoder (arXiv 2411.04905), table of filters and their published configuration"


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The least or the most that a signal may be, for some languages."""

    signal: str
    low: float | None = None
    high: float | None = None
    languages: tuple[str, ...] = ()
    """Linguist names that it holds for; none is all."""
    without: tuple[str, ...] = ()
    """Linguist names that it does not hold for."""
    source: str

    def __post_init__(self) -> None:
        from corpora.code.signals import DESCRIPTIONS

        if self.signal not in DESCRIPTIONS:
            raise ValueError(f"Bound.signal must be of {', '.join(DESCRIPTIONS)}, got {self.signal!r}")
        if (self.low is None) == (self.high is None):
            raise ValueError(f"Bound of {self.signal} must have either low or high, got {self.low} and {self.high}")

    def holds_for(self, language: str) -> bool:
        """Whether files of a language must keep it."""
        return language not in self.without and (not self.languages or language in self.languages)

    @property
    def limit(self) -> float:
        """The number."""
        return float(self.high or 0.0) if self.low is None else float(self.low)

    def breaks(self, value: Any) -> Any:
        """Whether a value, or each of an array, is beyond the bound."""
        return value > self.high if self.low is None else value < self.low


LONG_LINED = ("HTML", "JSON", "Markdown", "Roff", "Roff Manpage", "SMT", "TeX", "Text", "XML")
"""Languages whose lines may be long (StarCoder2)."""
_FEW_LETTERS = ("Motorola 68K Assembly", "WebAssembly")
_DATA = ("Text", "JSON", "YAML", "Web Ontology Language", "Graphviz (DOT)")
_XML = ("XML", "XSLT", "HTML", "Java Server Pages", "Web Ontology Language", "INI")

_LINES = (
    Bound(signal="lines", high=100_000, source=_STARCODER2),
    Bound(signal="longest_line", high=1000, without=LONG_LINED, source=_STARCODER2),
    Bound(signal="mean_line", high=100, without=LONG_LINED, source=_STARCODER2),
)
_LETTERS = (
    Bound(signal="letters", low=0.25, without=_FEW_LETTERS, source=_STARCODER2),
    Bound(signal="alphanumerics", low=0.25, languages=_FEW_LETTERS, source=_STARCODER2),
)
_SOLID_LETTERS = (
    Bound(
        signal="solid_letters", low=0.25, without=_FEW_LETTERS, source=f"{_STARCODER2}, without blanks: indented JSON"
    ),
    _LETTERS[1],
)
_GENERATED = Bound(
    signal="generated_phrase", high=0, source=f"{_STARCODER2}: phrases in the first 5 lines, go-enry's rules"
)
LONG_LINES = Bound(signal="longest_line", high=100_000, languages=LONG_LINED, source=_STARCODER2)
_ENCODED = (
    Bound(signal="encoded_run", high=1024, source=_STARCODER2),
    Bound(signal="encoded", high=0.5, source=_STARCODER2),
)
_PACKED = (
    Bound(signal="packed_run", high=1024, source=f"{_STARCODER2}; ours: no ruler, and no certificate of a long test"),
    Bound(signal="packed", high=0.5, source=f"{_STARCODER2}; ours: no ruler"),
)
_HTML = (
    Bound(signal="visible", low=100, languages=("HTML",), source=f"{_STARCODER2}; {_DEEPSEEK}"),
    Bound(signal="visible_share", low=0.2, languages=("HTML",), source=f"{_STARCODER2}; {_DEEPSEEK}"),
)
DATA_LINES = Bound(signal="lines", high=512, languages=_DATA, source=_STARCODER2)
LEAST_DATA = Bound(signal="characters", low=50, languages=("JSON", "YAML"), source=_DEEPSEEK)
MOST_DATA = Bound(signal="characters", high=5000, languages=("JSON", "YAML"), source=_DEEPSEEK)

PRESETS: dict[str, tuple[Bound, ...]] = {
    "starcoder2": (*_LINES, LONG_LINES, *_LETTERS, _GENERATED, *_ENCODED, DATA_LINES, *_HTML),
    "deepseek-coder": (
        Bound(signal="longest_line", high=1000, source=_DEEPSEEK),
        Bound(signal="mean_line", high=100, source=_DEEPSEEK),
        Bound(signal="letters", low=0.25, source=_DEEPSEEK),
        Bound(signal="xml_phrase", high=0, without=("XSLT",), source=_DEEPSEEK),
        *_HTML,
        LEAST_DATA,
        MOST_DATA,
    ),
    "ours": (
        Bound(signal="bytes", high=1_000_000, source=_STACK),
        *_LINES,
        LONG_LINES,
        *_SOLID_LETTERS,
        Bound(signal="generated", high=0, source=f"{_STARCODER2}; ours: @generated, a line that warns, baselines"),
        Bound(signal="vendored", high=0, source="ours: others' code, under a licence and in a version of their own"),
        *_PACKED,
        Bound(signal="unique_lines", low=0.15, source=f"ours; {_OPENCODER} has 0.3, which takes type stubs"),
        Bound(signal="comments", high=0.9999, source=f"ours: nothing else; {_OPENCODER} has 0.8, a third of the JDK"),
        DATA_LINES,
        *_HTML,
        LEAST_DATA,
        MOST_DATA,
        Bound(signal="xml", high=0, without=_XML, source=f"{_DEEPSEEK}, for what is not XML by its name"),
    ),
}
"""By name; `ours` is StarCoder2's with the size of The Stack, DeepSeek-Coder's on data files and two like OpenCoder's."""
