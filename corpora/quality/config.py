"""What the recipe decides about quality: where labels come from, how the model is fitted, and which files leave."""

from __future__ import annotations

from dataclasses import dataclass

from corpora.code.languages import BY_NAME

HIGHEST = 5.0
"""Labels are 0 to 5, as those of FineWeb-Edu (arXiv 2406.17557, 3.4) and Stack-Edu (arXiv 2502.02737, 3.4)."""


def _at_least(config: object, least: int, *names: str) -> None:
    for name in names:
        if getattr(config, name) < least:
            raise ValueError(f"{type(config).__name__}.{name} must be at least {least}, got {getattr(config, name)}")


@dataclass(frozen=True, kw_only=True)
class FileLabels:
    """Labels of a Parquet file that luigi.cfg [labels] names."""

    name: str
    max_bytes: int = 16_384
    """Of a text that the model looks at, from its beginning."""

    def __post_init__(self) -> None:
        _at_least(self, 1, "max_bytes")


@dataclass(frozen=True, kw_only=True)
class TeacherLabels:
    """Labels that a teacher gives to a sample of the training documents, as many of each language where there are."""

    model: str
    """As the endpoint names it."""
    documents: int = 10_000
    """Asked about; ours. Stack-Edu asked about 500,000 over 15 languages and FineWeb-Edu about 460,000."""
    max_bytes: int = 16_384
    """Of a text that teacher and model look at, from its beginning: about 5,000 tokens."""
    max_reply_tokens: int = 256
    max_unread: float = 0.1
    """Share of replies without a readable label, or refused, above which the labels are refused."""
    seed: int = 1234

    def __post_init__(self) -> None:
        _at_least(self, 1, "documents", "max_bytes", "max_reply_tokens")
        if not self.model:
            raise ValueError("TeacherLabels.model must name a model of the endpoint, got ''")
        if not 0 <= self.max_unread < 1:
            raise ValueError(f"TeacherLabels.max_unread must be at least 0 and below 1, got {self.max_unread}")


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How the model is fitted; all numbers are ours, chosen on a proxy (docs/data.md)."""

    good: float = 3.0
    """The label from which a file counts as good: FineWeb-Edu's and, but for Java, Stack-Edu's threshold."""
    bucket_bits: int = 18
    """N-grams share 2 to this number of weights; 1 MB a language."""
    longest: int = 2
    """Words of the longest n-gram."""
    penalty: float = 0.1
    """L2, divided by the number of labels."""
    iterations: int = 60
    """Steps of L-BFGS at most."""
    folds: int = 5
    """A label is judged by a model that was fitted without its fold."""
    min_labels: int = 300
    """Of a language, for a correction and a calibration of its own; below, it has those of all."""

    def __post_init__(self) -> None:
        _at_least(self, 1, "iterations", "min_labels", "longest")
        _at_least(self, 2, "folds")
        if not 0 < self.good <= HIGHEST:
            raise ValueError(f"FitConfig.good must be above 0 and at most {HIGHEST:g}, got {self.good}")
        if not 8 <= self.bucket_bits <= 24:
            raise ValueError(f"FitConfig.bucket_bits must be 8 to 24, got {self.bucket_bits}")
        if self.longest > 8:
            raise ValueError(f"FitConfig.longest must be at most 8, got {self.longest}")
        if not self.penalty > 0:
            raise ValueError(f"FitConfig.penalty must be above 0, got {self.penalty}")


@dataclass(frozen=True, kw_only=True)
class QualityBound:
    """The least that a file of some languages must have, in one of three measures."""

    languages: tuple[str, ...] = ()
    """Linguist names; none is all that no earlier bound names."""
    score: float | None = None
    """Expected label, 0 to 5."""
    probability: float | None = None
    """That the label is at least `FitConfig.good`."""
    quantile: float | None = None
    """Share of the files of each language that leaves, the worst ones."""

    def __post_init__(self) -> None:
        given = {name: getattr(self, name) for name in MEASURES if getattr(self, name) is not None}
        if len(given) != 1:
            raise ValueError(f"QualityBound must have one of {', '.join(MEASURES)}, got {', '.join(given) or 'none'}")
        ((name, value),) = given.items()
        most = HIGHEST if name == "score" else 1.0
        if not 0 <= value <= most:
            raise ValueError(f"QualityBound.{name} must be 0 to {most:g}, got {value}")
        unknown = sorted(set(self.languages) - BY_NAME.keys())
        if unknown:
            raise ValueError(f"QualityBound.languages must be names of corpora/code/languages.py, got {unknown[0]!r}")

    @property
    def measure(self) -> str:
        """Which of the three."""
        return next(name for name in MEASURES if getattr(self, name) is not None)

    @property
    def least(self) -> float:
        """The number."""
        return float(getattr(self, self.measure))


MEASURES = ("score", "probability", "quantile")


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """Which files leave by their score; without a bound all stay, and their scores are written."""

    bounds: tuple[QualityBound, ...] = ()
    """The first that names a file's language holds; one without languages holds for the rest."""

    def bound_of(self, language: str) -> QualityBound | None:
        """Find the bound of a language."""
        holds = (bound for bound in self.bounds if not bound.languages or language in bound.languages)
        return next(holds, None)


@dataclass(frozen=True, kw_only=True)
class QualityConfig:
    """Labels, model and bounds; each is what one stage reads."""

    labels: FileLabels | TeacherLabels
    fit: FitConfig = FitConfig()
    score: ScoreConfig = ScoreConfig()
