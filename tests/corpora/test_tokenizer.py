"""The tokenizer: text that spells a special token stays text, fastokens encodes as tokenizers does, transformers loads it."""

import json
import shutil
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import SchemaError
from corpora import tokenizer as module
from corpora.tokenizer import SPECIAL_TOKENS, Tokenizer, TrainTokenizerConfig, train_tokenizer

TEXTS = [
    "def add(first, second):\n    return first + second\n\n\n" * 3 + "class Adder:\n\tpass\n",
    "The quick brown fox, we'll say, jumped over 1234 dogs in the naïve café. 中文字符\n" * 2,
]
any_text = st.text() | st.lists(st.sampled_from([*SPECIAL_TOKENS, " ", "\n", "\t", "'ll", "é", "12", "def "])).map(
    "".join
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    from corpora import records, shards

    root = tmp_path_factory.mktemp("tokenizer")
    rows = [{"id": str(n), "text": text, "split": "train"} for n, text in enumerate(TEXTS)]
    rows.append({"id": "h", "text": "zyzzyva " * 100, "split": "heldout"})
    shards.write(root / "documents" / "kept" / shards.shard_name(0, 1), rows, records.DOCUMENT)
    (root / "out").mkdir()
    found = train_tokenizer(root / "out", documents=root / "documents", config=TrainTokenizerConfig(vocab_size=320))
    assert found == {"vocab_size": 320}
    return root / "out" / "tokenizer"


@pytest.fixture(scope="session")
def tokenizer(folder):
    return Tokenizer.load(folder)


def test_specials_have_the_last_ids_and_are_never_parsed(tokenizer):
    assert [tokenizer.token_id(token) for token in SPECIAL_TOKENS] == list(range(320 - len(SPECIAL_TOKENS), 320))
    assert tokenizer.eod_id == tokenizer.pad_id == tokenizer.token_id("<|endoftext|>")
    for ids in tokenizer.encode_batch([f"a{token}b" for token in SPECIAL_TOKENS]):
        assert max(ids) < 320 - len(SPECIAL_TOKENS)


def test_added_tokens_that_are_not_called_special_are_never_parsed_either(folder, tmp_path):
    """Qwen2.5's own file has `"special": false` on its fill-in-the-middle tokens."""
    shutil.copytree(folder, tmp_path / "t")
    content = json.loads((folder / "tokenizer.json").read_text())
    for token in content["added_tokens"]:
        token["special"] = token["content"] == "<|endoftext|>"
    (tmp_path / "t" / "tokenizer.json").write_text(json.dumps(content))
    tokenizer = Tokenizer.load(tmp_path / "t")
    for ids in tokenizer.encode_batch([f"a{token}b" for token in SPECIAL_TOKENS]):
        assert max(ids) < 320 - len(SPECIAL_TOKENS)
    assert tokenizer.token_id("<|fim_prefix|>") == 320 - len(SPECIAL_TOKENS) + SPECIAL_TOKENS.index("<|fim_prefix|>")


@given(st.lists(any_text, max_size=4))
def test_fastokens_encodes_as_tokenizers(tokenizer, texts):
    assert tokenizer._fast is not None
    oracle = tokenizer._oracle.encode_batch_fast(texts, add_special_tokens=False)
    assert tokenizer.encode_batch(texts) == [encoding.ids for encoding in oracle]


@given(any_text)
def test_decoding_gives_the_normalized_text_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode_batch([text])[0]) == unicodedata.normalize("NFC", text)


def test_digits_stand_alone(tokenizer):
    assert len(tokenizer.encode_batch(["1234"])[0]) == 4


def test_held_out_text_trains_no_token(tokenizer):
    assert len(tokenizer.encode_batch(["zyzzyva"])[0]) == 7


def test_training_gives_the_same_bytes_again(folder, tmp_path):
    documents = folder.parents[1] / "documents"
    train_tokenizer(tmp_path, documents=documents, config=TrainTokenizerConfig(vocab_size=320))
    for path in folder.iterdir():
        assert (tmp_path / "tokenizer" / path.name).read_bytes() == path.read_bytes()


def test_transformers_loads_it_and_agrees(folder, tokenizer):
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(str(folder))
    assert theirs.encode(TEXTS[1], add_special_tokens=False) == tokenizer.encode_batch([TEXTS[1]])[0]
    assert theirs.eos_token_id == theirs.pad_token_id == tokenizer.eod_id
    text = theirs.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False, add_generation_prompt=True)
    assert text == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    assert theirs.encode("<|im_end|>", add_special_tokens=False) == [tokenizer.token_id("<|im_end|>")]


def test_a_disagreeing_fastokens_is_not_used(folder, tokenizer, monkeypatch):
    ones = np.ones(3, np.int64)
    monkeypatch.setattr(module, "_encode_fast", lambda *_: (ones, ones))
    with pytest.warns(UserWarning, match="fastokens disagrees with tokenizers"):
        slow = Tokenizer.load(folder)
    texts = [*TEXTS, "<|im_end|>"]
    assert slow.encode_batch(texts) == [encoding.ids for encoding in tokenizer._oracle.encode_batch_fast(texts)]


def test_a_kind_that_fastokens_cannot_read_is_encoded_all_the_same(tmp_path):
    from tokenizers import Tokenizer as Oracle
    from tokenizers import models, pre_tokenizers

    oracle = Oracle(models.WordLevel({"[UNK]": 0, "a": 1, "b": 2}, unk_token="[UNK]"))
    oracle.pre_tokenizer = pre_tokenizers.Whitespace()
    oracle.save(str(tmp_path / "tokenizer.json"))
    with pytest.warns(UserWarning, match="fastokens"):
        tokenizer = Tokenizer.load(tmp_path)
    assert tokenizer.encode_batch(["b a c"]) == [[2, 1, 0]]


def test_errors_name_the_file_and_the_token(tokenizer, folder, tmp_path):
    with pytest.raises(SchemaError, match=r"tokenizer\.json is not there"):
        Tokenizer.load(tmp_path)
    with pytest.raises(SchemaError, match=r"tokenizer\.json has no token '<\|nothing\|>'"):
        tokenizer.token_id("<|nothing|>")
    for content in ("{", "{}", '{"added_tokens": []}'):
        (tmp_path / "tokenizer.json").write_text(content)
        with pytest.raises(SchemaError, match=r"tokenizer\.json is not a tokenizer"):
            Tokenizer.load(tmp_path)
    with pytest.raises(ValueError, match="vocab_size must be at least 265, got 10"):
        TrainTokenizerConfig(vocab_size=10)
