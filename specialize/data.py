"""Token files and packs -> the micro-batches of a step. Numpy only.

Guarantees: step k is a pure function of files, config and k, so a resumed run needs no state but the step. The
batch of a step is drawn whole and then cut by data-parallel rank: every layout learns the same samples. Pretraining
reads each document once an epoch, in an order drawn from (seed, stream, epoch), and streams alternate at their weights
from the first sample on; a stream is a domain, or one language of it where the recipe weighs languages. Fine-tuning
reads each pack once an epoch and never cuts a conversation. Costs about 40 bytes of memory a document and 20 a sample.
Source: QWEN report 2.4 (shuffle, merge, truncate) and 3.1.2 (128 sequences a batch).

Shapes: B samples, T positions; an isolated batch is one row, its documents bounded by `bounds`.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from corpora import records
from corpora.blend import blend
from corpora.indexed import IndexedReader
from specialize.config import Attention, BatchUnit, FineTuneConfig, PretrainConfig, TrainConfig

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Sample:
    """Tokens, which of them may be learned (never the first), and where the documents inside start."""

    tokens: Array
    mask: Array
    starts: Array
    domain: int = 0
    """Place of its domain in `Data.domains`."""


@dataclass(frozen=True)
class MicroBatch:
    """What one forward pass reads."""

    tokens_BT: Array  # noqa: N815
    labels_BT: Array  # noqa: N815
    mask_BT: Array  # noqa: N815
    """1 where the label is learned."""
    num_tokens: int
    """Predictions in it, padding left out."""
    bounds: Array | None
    """Where documents start and end in the one row of an isolated batch; None for merged ones."""
    domains_BT: Array  # noqa: N815
    """Of which domain each position is."""


class Data(Protocol):
    """A training set cut into steps."""

    train_steps: int
    epochs: float
    """Passes over the data in all steps; over the stream that is seen most often."""
    epochs_of: dict[str, float]
    """The same for each stream; 0 for what has no weight and is not read."""
    domains: tuple[str, ...]
    """What samples are of; the loss of each is recorded where there are several."""

    def samples_of(self, step: int) -> range:
        """Return the positions of the samples of a step; steps and positions count from 0."""

    def sample(self, position: int) -> Sample:
        """Read one sample."""


@dataclass(frozen=True)
class Domain:
    """A share of the samples; its parts are one stream, or, with `weights`, a stream each that takes its weight."""

    name: str
    share: float
    parts: Mapping[str, Sequence[Path]]
    """Token prefixes by what they hold: a language, a kind of text."""
    weights: Mapping[str, float] = field(default_factory=dict)


class PretrainData:
    """Domains at their shares, documents of a stream merged to `seq_length`."""

    def __init__(self, domains: Sequence[Domain], config: PretrainConfig) -> None:
        self.train_steps = config.planned_steps()
        self._batch = config.global_batch_size
        present = [domain for domain in domains if domain.share > 0]
        counts = shares([domain.share for domain in present], self.train_steps * self._batch)
        self.domains = tuple(domain.name for domain in present)
        of_domain = [_plan_streams(domain, count, config) for domain, count in zip(present, counts, strict=True)]
        planned = [pair for pairs in of_domain for pair in pairs]
        self._domain_of = [index for index, pairs in enumerate(of_domain) for _ in pairs]
        self._streams = [stream for stream, _ in planned]
        unread = {
            f"{domain.name} {part}": 0.0
            for domain in present
            for part in (domain.parts if domain.weights else ())
            if not domain.weights.get(part)
        }
        self.epochs_of = unread | {stream.name: stream.check(count, config.max_epochs) for stream, count in planned}
        self.epochs = max(self.epochs_of.values())
        self._which, self._where = interleave([count for _, count in planned])

    def samples_of(self, step: int) -> range:
        """Return the positions of the samples of a step."""
        return range(step * self._batch, (step + 1) * self._batch)

    def sample(self, position: int) -> Sample:
        """Read one sample of `seq_length` + 1 tokens; all are learned."""
        which = int(self._which[position])
        return replace(self._streams[which].sample(int(self._where[position])), domain=self._domain_of[which])


def _plan_streams(domain: Domain, count: int, config: PretrainConfig) -> list[tuple[Stream, int]]:
    """Open the streams of a domain, each with its samples; parts without a weight are not read."""
    if not domain.weights:
        prefixes = [prefix for part in domain.parts.values() for prefix in part]
        return [(Stream(domain.name, prefixes, config), count)]
    streams = {
        part: Stream(f"{domain.name} {part}", prefixes, config)
        for part, prefixes in domain.parts.items()
        if domain.weights.get(part)
    }
    available = {part: stream.samples_per_epoch for part, stream in streams.items()}
    try:
        samples = blend(available, {part: domain.weights[part] for part in streams}, count, config.max_epochs)
    except ValueError as error:
        raise ValueError(f"{domain.name}, in samples of {config.seq_length} tokens: {error}") from None
    return [(streams[part], samples[part]) for part in samples if samples[part]]


class _Epoch(NamedTuple):
    documents: Array
    """In the order they are read."""
    starts: Array
    """Position of each of them in the epoch's stream of tokens."""
    samples: Array
    """In the order they are drawn: neighbours in a long document are not neighbours in a batch."""


class Stream:
    """The documents of some prefixes, shuffled together each epoch, end to end, cut into samples.

    Sample i is tokens i x length to (i + 1) x length of the stream; the last one is only a label here, and the first
    input of the next sample. What is left at the end of an epoch, less than one sample, is not read in that epoch.
    """

    def __init__(self, name: str, prefixes: Sequence[Path], config: PretrainConfig) -> None:
        self.name, self._length, self._seed = name, config.seq_length, config.seed
        self._readers = [IndexedReader(prefix) for prefix in prefixes]
        sizes = [_document_sizes(reader) for reader in self._readers]
        self._reader_of = np.repeat(np.arange(len(sizes), dtype=np.int32), [len(part) for part in sizes])
        self._first = np.concatenate(
            [reader.document_indices[:-1] for reader in self._readers] or [np.empty(0, np.int64)]
        )
        self._sizes = np.concatenate(sizes or [np.empty(0, np.int64)])
        self._tokens = int(self._sizes.sum())
        self.samples_per_epoch = max(0, self._tokens - 1) // self._length
        self._epoch = functools.lru_cache(maxsize=2)(self._shuffle)

    def check(self, samples: int, max_epochs: float) -> float:
        """Return the epochs that so many samples take; refuse more than `max_epochs`."""
        if samples > self.samples_per_epoch * max_epochs:
            raise ValueError(
                f"{self.name} has {self._tokens:,} tokens, that is {self.samples_per_epoch:,} samples of {self._length}; "
                f"the run takes {samples:,}, which is above max_epochs {max_epochs:g}: "
                "collect more, train less, or raise max_epochs"
            )
        return samples / self.samples_per_epoch if samples else 0.0

    def _shuffle(self, epoch: int) -> _Epoch:
        documents = _generator(self._seed, self.name, "documents", epoch).permutation(len(self._sizes))
        starts = np.cumsum(self._sizes[documents]) - self._sizes[documents]
        return _Epoch(
            documents, starts, _generator(self._seed, self.name, "samples", epoch).permutation(self.samples_per_epoch)
        )

    def sample(self, index: int) -> Sample:
        """Read sample `index` of the stream of all epochs."""
        epoch, rest = divmod(index, self.samples_per_epoch)
        order = self._epoch(epoch)
        start = int(order.samples[rest]) * self._length
        place = int(np.searchsorted(order.starts, start, side="right")) - 1
        parts: list[Array] = []
        starts: list[int] = []
        found = 0
        while found < self._length + 1:
            document, offset = order.documents[place], start + found - int(order.starts[place])
            count = min(int(self._sizes[document]) - offset, self._length + 1 - found)
            if count > 0:
                parts.append(self._readers[self._reader_of[document]].get(int(self._first[document]), offset, count))
                starts.append(found)
            found, place = found + max(count, 0), place + 1
        return Sample(np.concatenate(parts), np.ones(self._length + 1, np.uint8), np.array(starts))


class PackData:
    """Packs of whole conversations; a step takes so many conversations, or so many packs."""

    domains: tuple[str, ...] = ("conversations",)

    def __init__(self, packs: Path, config: FineTuneConfig) -> None:
        self._tokens, self._mask = IndexedReader(packs / "packs"), IndexedReader(packs / "mask")
        longest = json.loads((packs / "index.json").read_text())["seq_length"]
        if longest > config.seq_length:
            raise ValueError(
                f"FineTuneConfig.seq_length must be at least that of the packs in {packs}, {longest}, "
                f"got {config.seq_length}"
            )
        boundaries = self._tokens.document_indices
        self._first, self._sizes = boundaries[:-1], _document_sizes(self._tokens)
        conversations = np.diff(boundaries)
        weights = conversations if config.batch_unit is BatchUnit.CONVERSATIONS else np.ones_like(conversations)
        self.train_steps = _fine_tune_steps(weights, config)
        total = self.train_steps * config.global_batch_size
        self.epochs = total / int(weights.sum())
        self.epochs_of = {"packs": self.epochs}
        rounds = range(int(np.ceil(self.epochs)))
        self._order = np.concatenate([_generator(config.seed, "packs", e).permutation(len(weights)) for e in rounds])
        # Step k takes the packs that begin inside conversations [k x batch, (k + 1) x batch) of the stream.
        begins = np.cumsum(weights[self._order]) - weights[self._order]
        steps = np.arange(self.train_steps + 1) * config.global_batch_size
        self._bounds = np.searchsorted(begins, steps, side="left")

    def samples_of(self, step: int) -> range:
        """Return the positions of the packs of a step; their number differs where conversations are counted."""
        return range(int(self._bounds[step]), int(self._bounds[step + 1]))

    def sample(self, position: int) -> Sample:
        """Read one pack; the first token of a conversation is never learned."""
        pack = int(self._order[position])
        first, size = int(self._first[pack]), int(self._sizes[pack])
        lengths = self._tokens.sequence_lengths[first : self._tokens.document_indices[pack + 1]]
        starts = np.cumsum(lengths, dtype=np.int64) - lengths
        mask = self._mask.get(first, 0, size).copy()
        mask[starts] = 0
        return Sample(self._tokens.get(first, 0, size), mask, starts)


def _fine_tune_steps(weights: Array, config: FineTuneConfig) -> int:
    total, largest, batch = int(weights.sum()), int(weights.max(initial=0)), config.global_batch_size
    if largest > batch:
        raise ValueError(
            f"FineTuneConfig.global_batch_size counts {config.batch_unit.value} and must be at least those of the "
            f"largest pack, {largest}, got {batch}: count packs, or pack shorter"
        )
    steps = config.train_steps or int((config.epochs or 0) * total // batch)
    if steps < 1 or steps * batch > total * config.max_epochs:
        asked = f"{config.train_steps:,} steps" if config.train_steps else f"{config.epochs:g} epochs"
        raise ValueError(
            f"{total:,} {config.batch_unit.value} do not make {asked} of {batch}: at most "
            f"{int(total * config.max_epochs) // batch:,} steps fit under max_epochs {config.max_epochs:g}; "
            "make more data, train less, or raise max_epochs"
        )
    return steps


def micro_batches(data: Data, step: int, config: TrainConfig, *, rank: int = 0) -> list[MicroBatch]:
    """Read what data-parallel rank `rank` learns in a step, in equal numbers for all ranks.

    Where a step has too few samples to go round, the last ones are padding that is not learned. Virtual pipeline stages take
    turns by groups of as many micro-batches as there are pipeline ranks.
    """
    ranks, size = config.parallel.data_parallel, config.micro_batch_size
    positions = data.samples_of(step)
    rounds = -(-len(positions) // (ranks * size))
    if config.parallel.virtual_pipeline > 1:
        rounds += -rounds % config.parallel.pipeline_parallel
    batches = []
    for index in range(rounds):
        low = positions.start + (index * ranks + rank) * size
        samples = [data.sample(position) for position in range(low, min(low + size, positions.stop))]
        batches.append(
            _isolated(samples, config) if config.attention is Attention.ISOLATED else _merged(samples, config)
        )
    return batches


def _merged(samples: list[Sample], config: TrainConfig) -> MicroBatch:
    """One sample a row, padded at its end, where causal attention never looks."""
    shape = (config.micro_batch_size, config.seq_length)
    tokens, labels, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.uint8)
    domains = np.zeros(shape, np.uint8)
    for row, sample in enumerate(samples):
        domains[row] = sample.domain
        length = len(sample.tokens) - 1
        tokens[row, :length], labels[row, :length] = sample.tokens[:-1], sample.tokens[1:]
        mask[row, :length] = sample.mask[1:]
    return MicroBatch(tokens, labels, mask, _predictions(samples), None, domains)


def _isolated(samples: list[Sample], config: TrainConfig) -> MicroBatch:
    """All samples in one row; the place of a last token, which has no label, belongs to no document but padding."""
    parallel, lengths = config.parallel, [len(sample.tokens) for sample in samples]
    width = sum(lengths)
    if parallel.ranks > parallel.data_parallel:  # shapes must agree between stages and divide between tensor ranks
        width = config.micro_batch_size * (config.seq_length + 1)
        width += -width % parallel.tensor_parallel
    tokens, labels, mask = np.zeros((3, 1, max(width, 2)), np.int64)
    domains = np.zeros(tokens.shape, np.uint8)
    bounds: list[int] = []
    low = 0
    for sample, length in zip(samples, lengths, strict=True):
        tokens[0, low : low + length], labels[0, low : low + length - 1] = sample.tokens, sample.tokens[1:]
        mask[0, low : low + length - 1] = sample.mask[1:]
        domains[0, low : low + length] = sample.domain
        bounds.extend(low + int(start) for start in sample.starts)
        low += length
    edges = sorted({0, *bounds, low, tokens.shape[1]})
    return MicroBatch(tokens, labels, mask.astype(np.uint8), _predictions(samples), np.array(edges, np.int32), domains)


def _predictions(samples: list[Sample]) -> int:
    return sum(len(sample.tokens) - 1 for sample in samples)


def shares(weights: Sequence[float], total: int) -> list[int]:
    """Cut `total` into whole numbers in proportion to `weights`, largest remainders first.

    >>> shares([0.5, 0.3, 0.2], 9)
    [4, 3, 2]
    """
    exact = [weight / sum(weights) * total for weight in weights]
    counts = [int(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: (counts[index] - exact[index], index))
    for index in by_remainder[: total - sum(counts)]:
        counts[index] += 1
    return counts


def interleave(counts: Sequence[int]) -> tuple[Array, Array]:
    """Spread items of several kinds evenly: return, for each place, its kind and its number among that kind.

    Item k of n belongs at (k + 1/2) / n; every kind keeps its share over any stretch, to one or two items.

    >>> interleave([2, 1])[0].tolist()
    [0, 1, 0]
    """
    places = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts])
    order = np.argsort(places, kind="stable")
    kinds = np.repeat(np.arange(len(counts), dtype=np.int16), counts)
    numbers = np.concatenate([np.arange(count, dtype=np.int64) for count in counts])
    return kinds[order], numbers[order]


def read_prefixes(folder: Path, *, split: str = "train") -> dict[str, list[Path]]:
    """List the token prefixes of a split that hold tokens, from a tokenize stage's `index.json`, by their language.

    What is neither code nor plain text, such as commits, goes by the name of its domain.
    """
    found: dict[str, list[Path]] = {}
    for row in json.loads((folder / "index.json").read_text())["prefixes"]:
        if row["split"] == split and row["tokens"]:
            part = row["language"] if row["domain"] in (records.CODE, records.TEXT) else row["domain"]
            found.setdefault(part, []).append(folder / row["name"])
    return found


def _document_sizes(reader: IndexedReader) -> Array:
    ends = np.concatenate([[0], np.cumsum(reader.sequence_lengths, dtype=np.int64)])
    return np.diff(ends[reader.document_indices])


def _generator(*parts: object) -> np.random.Generator:
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).digest()
    return np.random.Generator(np.random.Philox(int.from_bytes(digest[:16], "little")))
