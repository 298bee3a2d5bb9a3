"""Text to token ids with a model's own tokenizer, and a small tokenizer of our own for `tiny`.

Special tokens are ids that the caller asks for by name; text that spells one stays text (`<|endoftext|>` in a source file
ends nothing), also where a tokenizer does not call it special: Qwen2.5's own file has `"special": false` on
`<|fim_prefix|>`, so every added token of the form `<|...|>` counts as one. `fastokens` encodes; Hugging Face `tokenizers`
is the oracle: both must agree on a probe when a tokenizer is loaded, else the oracle encodes, slower and saying so.
"""

from __future__ import annotations

import json
import re
import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import SchemaError, progress
from corpora.chat import CHAT_TEMPLATE, END, START

if TYPE_CHECKING:
    import numpy as np

    Ids = np.ndarray[tuple[int], np.dtype[Any]]

END_OF_TEXT = "<|endoftext|>"
FIM_TOKENS = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>")
"""As Qwen2.5-Coder names them (arXiv 2409.12186, table 2)."""
SPECIAL_TOKENS = (END_OF_TEXT, START, END, *FIM_TOKENS)
_CONTROL_TOKEN = re.compile(r"<\|.*\|>", re.DOTALL)
SPLIT_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Qwen's: that of cl100k with digits one by one (QWEN report, 2.2)."""
_PROBE = (
    "def f(x_1: int) -> str:\n\treturn f'{x_1:>08.3f}' # 1234567890\r\n\n\n    pass\n",
    "Ünïcödé naïve ﬁ \u212b e\u0301 \u200b 中文字符, 日本語。 🙂👩‍👩‍👧 \x00\x07",
    f"{END_OF_TEXT} {START}user\nI'll, we'RE {END}\n   \n\t \n" + "=" * 80,
)


class Tokenizer:
    """A tokenizer folder in Hugging Face's layout, loaded."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer as Oracle

        self.folder = folder
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise SchemaError(f"{path} is not there; a tokenizer folder has tokenizer.json, as Hugging Face writes it")
        content = _with_control_tokens(path)
        try:
            self._oracle = Oracle.from_str(content)
        except Exception as error:  # noqa: BLE001 - the library raises plain Exception for what it cannot read
            raise SchemaError(
                f"{path} is not a tokenizer ({error}); get the file again, or run the stage again"
            ) from None
        self._oracle.encode_special_tokens = True
        self._fast = _load_fast(path, content, self._oracle)
        added = self._oracle.get_added_tokens_decoder().values()
        self._specials = frozenset(token.content for token in added if token.special)
        self.vocab_size: int = self._oracle.get_vocab_size(with_added_tokens=True)

    @classmethod
    def load(cls, folder: Path) -> Tokenizer:
        """Load `folder/tokenizer.json`."""
        return cls(folder)

    def encode_batch(self, texts: Sequence[str], /) -> list[list[int]]:
        """Encode texts as they are: no special token is parsed or added."""
        ids, lengths = self.encode_flat(texts)
        ends = lengths.cumsum().tolist()
        return [ids[end - length : end].tolist() for end, length in zip(ends, lengths.tolist(), strict=True)]

    def encode_flat(self, texts: Sequence[str], /) -> tuple[Ids, Ids]:
        """Encode as `encode_batch`, into one array of ids and one of the lengths of the texts; three times as fast."""
        encode = _encode_fast if self._fast is not None else _encode_oracle
        return encode(self._fast or self._oracle, list(texts))

    def decode(self, ids: Sequence[int], /) -> str:
        """Decode ids, special tokens as they are spelt."""
        return str(self._oracle.decode([int(token) for token in ids], skip_special_tokens=False))

    def token_id(self, token: str, /) -> int:
        """Look up a special token; one that the tokenizer lacks is refused."""
        found = self._oracle.token_to_id(token)
        if found is None:
            raise SchemaError(f"{self.folder / 'tokenizer.json'} has no token {token!r}; this base cannot be used here")
        return int(found)

    def is_special(self, token: str, /) -> bool:
        """Whether the tokenizer has this token, and never reads it from a text."""
        return token in self._specials

    @property
    def eod_id(self) -> int:
        """The id that ends a document."""
        return self.token_id(END_OF_TEXT)

    @property
    def pad_id(self) -> int:
        """The id that fills a batch: that of the end of a document, as Qwen does (`tokenization_note.md`)."""
        return self.eod_id


def _with_control_tokens(path: Path) -> str:
    """Read tokenizer.json; every added token of the form `<|...|>` is special, whatever the file says."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for token in content["added_tokens"]:
            token["special"] |= bool(_CONTROL_TOKEN.fullmatch(token["content"]))
    except (ValueError, KeyError, TypeError) as error:
        raise SchemaError(
            f"{path} is not a tokenizer as Hugging Face writes it ({error!r}); get the file again"
        ) from None
    return json.dumps(content)


def _encode_fast(fast: Any, texts: list[str]) -> tuple[Ids, Ids]:
    import numpy as np

    ids, offsets = fast.encode_batch_flat(texts, split_special_tokens=True)
    return np.frombuffer(ids, "<u4").astype(np.int32), np.diff(np.frombuffer(offsets, "<u8").astype(np.int64))


def _encode_oracle(oracle: Any, texts: list[str]) -> tuple[Ids, Ids]:
    import numpy as np

    encoded = [encoding.ids for encoding in oracle.encode_batch_fast(texts, add_special_tokens=False)]
    flat = [token for ids in encoded for token in ids]
    return np.asarray(flat, np.int32), np.asarray([len(ids) for ids in encoded], np.int64)


def _load_fast(path: Path, content: str, oracle: Any) -> Any:
    import fastokens

    try:
        fast = fastokens.Tokenizer.from_json_str(content)
    except ValueError as error:
        why = f"cannot read {path} ({error})"
    else:
        ours, theirs = _encode_fast(fast, list(_PROBE)), _encode_oracle(oracle, list(_PROBE))
        if all(one.tolist() == other.tolist() for one, other in zip(ours, theirs, strict=True)):
            return fast
        why = f"disagrees with tokenizers on {path}"
    warnings.warn(f"fastokens {why}; encoding with tokenizers, several times slower", stacklevel=3)
    return None


@dataclass(frozen=True, kw_only=True)
class TrainTokenizerConfig:
    """A byte-level BPE of our own."""

    vocab_size: int = 4096
    """Ids in all, bytes and special tokens included; 4K gives 4.2 bytes a token on Python, and 4,096 rows of embedding."""

    def __post_init__(self) -> None:
        least = 256 + len(SPECIAL_TOKENS)
        if self.vocab_size < least:
            raise ValueError(f"TrainTokenizerConfig.vocab_size must be at least {least}, got {self.vocab_size}")


def train_tokenizer(out: Path, *, documents: Path, config: TrainTokenizerConfig) -> dict[str, object]:
    """Train on the training split of the documents; write a folder that transformers and `Tokenizer.load` read."""
    from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers
    from tokenizers import Tokenizer as Trained

    tokenizer = Trained(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size - len(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_training_texts(documents), trainer=trainer)
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    folder = out / "tokenizer"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(_tokenizer_config(tokenizer), indent=1) + "\n")
    return {"vocab_size": tokenizer.get_vocab_size(with_added_tokens=True)}


def _training_texts(documents: Path) -> Iterator[str]:
    from corpora import records, shards

    paths = shards.shard_paths(documents / "kept")
    for done, path in enumerate(paths, start=1):
        table = shards.read(path, records.DOCUMENT, columns=["text", "split"])
        for text, split in zip(table["text"].to_pylist(), table["split"].to_pylist(), strict=True):
            if split == records.TRAIN:
                yield text
        progress.report(done, len(paths), "shards")


def _tokenizer_config(tokenizer: Any) -> dict[str, object]:
    plain = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    return {
        "tokenizer_class": "Qwen2Tokenizer",
        "added_tokens_decoder": {
            str(tokenizer.token_to_id(token)): {"content": token, **plain} for token in SPECIAL_TOKENS
        },
        "additional_special_tokens": [START, END],
        "bos_token": None,
        "eos_token": END_OF_TEXT,
        "pad_token": END_OF_TEXT,
        "unk_token": None,
        "chat_template": CHAT_TEMPLATE,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 8192,
        "split_special_tokens": False,
    }
