"""Held-out text, and its bits per byte under a model in training.

Guarantees: the same samples every time, of repositories that training never reads; no dropout; the same number for every
layout, to rounding. Bits per byte compare models with different tokenizers: nats a token over the bytes a token of the
domain's whole held-out split. Costs a forward pass of `evaluation_samples` samples a domain. Samples are merged as in training.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from corpora.records import HELDOUT
from specialize.config import PretrainConfig
from specialize.data import Sample, Stream, read_prefixes


class HeldOut:
    """A data set with one step a domain: what it evaluates."""

    def __init__(self, parts: Mapping[str, tuple[Path, float]], config: PretrainConfig) -> None:
        folders = {name: folder for name, (folder, _) in parts.items()}
        self._shares = {name: share for name, (_, share) in parts.items()}
        self.domains = tuple(folders)
        self.train_steps, self.epochs = len(folders), 1.0
        self.epochs_of = dict.fromkeys(folders, 1.0)
        self._streams = [_stream(name, folder, config) for name, folder in folders.items()]
        self._bytes_per_token = [_bytes_per_token(folder) for folder in folders.values()]
        self._most = config.evaluation_samples

    def samples_of(self, step: int) -> range:
        """Return the positions of the samples of a domain."""
        low = step * self._most
        return range(low, low + min(self._most, self._streams[step].samples_per_epoch))

    def sample(self, position: int) -> Sample:
        """Read one sample."""
        domain, index = divmod(position, self._most)
        return self._streams[domain].sample(index)

    def bits_per_byte(self, domain: int, nats_per_token: float) -> float:
        """Convert the mean loss of a domain."""
        return nats_per_token / math.log(2) / self._bytes_per_token[domain]

    def mean(self, bits: Mapping[str, float]) -> float:
        """Weigh the domains as training does."""
        return sum(self._shares[name] * value for name, value in bits.items()) / sum(self._shares.values())


def _stream(name: str, folder: Path, config: PretrainConfig) -> Stream:
    prefixes = [prefix for part in read_prefixes(folder, split=HELDOUT).values() for prefix in part]
    stream = Stream(f"held-out {name}", prefixes, config)
    if stream.samples_per_epoch < 1:
        raise ValueError(
            f"{folder} has less than one held-out sample of {config.seq_length} tokens of {name}: hold out more when "
            "collecting (heldout_fraction), or set PretrainConfig.evaluation_interval to 0"
        )
    return stream


def _bytes_per_token(folder: Path) -> float:
    rows = [row for row in json.loads((folder / "index.json").read_text())["prefixes"] if row["split"] == HELDOUT]
    return float(sum(row["bytes"] for row in rows) / sum(row["tokens"] for row in rows))
