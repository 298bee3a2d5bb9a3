"""Export: transformers loads the folder and computes Megatron's logits; its files serve versions 4 and 5; it generates."""

import json
import os
import subprocess

import pytest
import torch

from specialize.base import InitializeBaseConfig, initialize_base
from specialize.config import Architecture, ModelConfig
from specialize.export import ExportConfig, _card, export
from specialize.generate import Exported, complete, text_bits_per_byte

MODEL = ModelConfig(
    num_layers=2,
    hidden_size=32,
    ffn_hidden_size=48,
    num_attention_heads=4,
    num_query_groups=2,
    head_dim=8,
    vocab_size=300,
    max_position_embeddings=128,
    rotary_base=500_000.0,
    tie_embeddings=False,
    initializer_std=0.2,  # logits far apart, so that an error shows
)
TEXT = "def add(first, second):\n    return first + second\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory, process):
    from corpora import records, shards
    from corpora.tokenizer import TrainTokenizerConfig, train_tokenizer

    root = tmp_path_factory.mktemp("base")
    shards.write(
        root / "kept" / shards.shard_name(0, 1), [{"id": "a", "text": TEXT, "split": "train"}], records.DOCUMENT
    )
    (root / "trained").mkdir()
    train_tokenizer(root / "trained", documents=root, config=TrainTokenizerConfig(vocab_size=300))
    (root / "base").mkdir()
    config = InitializeBaseConfig(name="tiny", label="random", license="MIT", model=MODEL)
    initialize_base(root / "base", tokenizer=root / "trained", config=config)
    return root / "base"


@pytest.fixture(scope="module")
def hf(base, tmp_path_factory):
    out = tmp_path_factory.mktemp("export")
    config = ExportConfig(name="tiny-chat", chat=True, base="random", license="Apache-2.0", dtype="float32")
    export(out, model=base, config=config)
    return out / "hf"


def test_logits_are_those_of_megatron(base, hf):
    from transformers import AutoModelForCausalLM

    from specialize.checkpoint import load_weights
    from specialize.model import build_model

    ours = build_model(MODEL).eval()
    load_weights(base, ours)
    theirs, info = AutoModelForCausalLM.from_pretrained(str(hf), dtype=torch.float32, output_loading_info=True)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    tokens = torch.randint(0, 300, (2, 100), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = theirs.eval()(tokens).logits
        wanted = ours(tokens, torch.arange(100).expand(2, -1), None)
    assert wanted.std() > 0.1
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_config_has_the_keys_of_both_versions(hf):
    """4.57 reads `rope_theta`, `torch_dtype` and the class by name; 5 reads `rope_parameters` and `dtype`."""
    config = json.loads((hf / "config.json").read_text())
    assert config["rope_theta"] == config["rope_parameters"]["rope_theta"] == 500_000.0
    assert config["torch_dtype"] == config["dtype"] == "float32"
    assert config["architectures"] == ["Qwen2ForCausalLM"]
    tokenizer = json.loads((hf / "tokenizer_config.json").read_text())
    assert tokenizer["chat_template"] == (hf / "chat_template.jinja").read_text()
    assert tokenizer["eos_token"] == "<|im_end|>"
    assert tokenizer["tokenizer_class"] == "Qwen2Tokenizer"
    ids = {token["content"]: int(index) for index, token in tokenizer["added_tokens_decoder"].items()}
    assert ids == {
        token["content"]: token["id"] for token in json.loads((hf / "tokenizer.json").read_text())["added_tokens"]
    }
    assert {"vocab.json", "merges.txt", "generation_config.json", "README.md"} <= {path.name for path in hf.iterdir()}
    card = (hf / "README.md").read_text()
    assert "license: apache-2.0" in card
    assert "LogN" not in card


OTHER = """
import json, sys, torch, transformers
folder, tokens, text = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
turn = tokenizer.apply_chat_template([{"role": "user", "content": text}], tokenize=False)
found = [model(torch.tensor([tokens])).logits[0].tolist(), tokenizer.encode(text), turn, tokenizer.eos_token]
print(json.dumps([transformers.__version__, *found]))
"""


@pytest.mark.slow
def test_another_version_of_transformers_computes_the_same(hf):
    """`TRANSFORMERS_4_PYTHON` is the interpreter of an environment with transformers 4.57 and torch."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    python = os.environ.get("TRANSFORMERS_4_PYTHON")
    if python is None:
        pytest.skip("TRANSFORMERS_4_PYTHON is not set")
    tokens = torch.randint(0, 300, (100,), generator=torch.Generator().manual_seed(0)).tolist()
    command = [python, "-W", "ignore", "-c", OTHER, str(hf), json.dumps(tokens), TEXT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": ""})
    version, logits, ids, turn, end = json.loads(done.stdout)
    assert version.startswith("4.57")
    with torch.no_grad():
        ours = AutoModelForCausalLM.from_pretrained(str(hf), dtype=torch.float32)(torch.tensor([tokens])).logits[0]
    torch.testing.assert_close(torch.tensor(logits), ours, atol=1e-5, rtol=1e-5)
    tokenizer = AutoTokenizer.from_pretrained(str(hf))
    assert ids == tokenizer.encode(TEXT)
    assert turn == tokenizer.apply_chat_template([{"role": "user", "content": TEXT}], tokenize=False)
    assert end == tokenizer.eos_token == "<|im_end|>"


@pytest.mark.parametrize(
    ("given", "written"),
    [("TokenizersBackend", "PreTrainedTokenizerFast"), (None, "PreTrainedTokenizerFast"), ("GPT2Tokenizer",) * 2],
)
def test_a_tokenizer_class_that_a_version_lacks_is_replaced(base, tmp_path, given, written):
    """What transformers 5 saves (`TokenizersBackend`, a list of extra tokens) stops 4.57."""
    from specialize.export import write_folder
    from specialize.tensors import SafetensorsFolder

    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer" / "tokenizer.json").write_bytes((base / "tokenizer" / "tokenizer.json").read_bytes())
    config = {"tokenizer_class": given, "extra_special_tokens": ["<|im_end|>"], "auto_map": {"AutoTokenizer": "x.Y"}}
    (tmp_path / "tokenizer" / "tokenizer_config.json").write_text(json.dumps(config))
    state = SafetensorsFolder.open(base / "hf").tensors()
    write_folder(tmp_path / "hf", state, MODEL, tokenizer=tmp_path / "tokenizer", dtype="float32", chat=True)
    found = json.loads((tmp_path / "hf" / "tokenizer_config.json").read_text())
    assert found["tokenizer_class"] == written
    assert not {"auto_map", "extra_special_tokens"} & found.keys()


def test_the_card_of_an_original_qwen_says_what_is_dropped(base, tmp_path):
    from dataclasses import replace

    shape = replace(MODEL, architecture=Architecture.QWEN, num_query_groups=4)
    text = _card(ExportConfig(name="x", chat=True, base="Qwen-7B", license="MIT"), shape)
    assert "LogN" in text
    assert "dynamic NTK" in text
    assert "within 128 tokens" in text


def test_a_chat_model_stops_at_the_end_of_a_turn(hf, base):
    from corpora.tokenizer import Tokenizer

    ids = Tokenizer.load(hf)
    chat = json.loads((hf / "generation_config.json").read_text())["eos_token_id"]
    assert chat == [ids.token_id("<|im_end|>"), ids.eod_id]
    assert json.loads((base / "hf" / "generation_config.json").read_text())["eos_token_id"] == [ids.eod_id]


def test_the_tokenizer_is_the_one_that_trained(base, hf):
    from transformers import AutoTokenizer

    from corpora.chat import render
    from corpora.tokenizer import Tokenizer

    theirs, ours = AutoTokenizer.from_pretrained(str(hf)), Tokenizer.load(base / "tokenizer")
    assert theirs.encode(TEXT + " 123 é", add_special_tokens=False) == ours.encode_batch([TEXT + " 123 é"])[0]
    turns = [{"role": "user", "content": "add"}, {"role": "assistant", "content": TEXT}]
    assert theirs.apply_chat_template(turns, tokenize=False) == render(turns)
    assert theirs.eos_token_id == ours.token_id("<|im_end|>")


def test_exporting_again_gives_the_same_bytes(base, hf, tmp_path):
    config = ExportConfig(name="tiny-chat", chat=True, base="random", license="Apache-2.0", dtype="float32")
    for _ in range(2):
        export(tmp_path, model=base, config=config)
    assert {path.name: path.read_bytes() for path in (tmp_path / "hf").iterdir()} == {
        path.name: path.read_bytes() for path in hf.iterdir()
    }


def test_large_weights_are_written_in_shards(base, tmp_path, monkeypatch, hf):
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr("specialize.tensors.SHARD_BYTES", 20_000)
    export(tmp_path, model=base, config=ExportConfig(name="x", chat=True, base="b", license="MIT", dtype="float32"))
    assert len(list((tmp_path / "hf").glob("model-*-of-*.safetensors"))) > 2
    models = [
        AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32) for folder in (hf, tmp_path / "hf")
    ]
    first, second = (model.state_dict() for model in models)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_replies_do_not_depend_on_the_batch(hf):
    exported = Exported.load(hf, dtype="float32")
    prompts = exported.tokenizer.encode_batch(["def", "def add(first", "return", "x = 1"])
    together = complete(exported, prompts, max_new_tokens=12, batch_size=4)
    assert together == complete(exported, prompts, max_new_tokens=12, batch_size=1)
    assert len(set(together)) > 1
    stop = together[0][2:4]
    stopped = complete(exported, prompts, max_new_tokens=12, batch_size=4, stops=[stop])
    assert stopped == [reply.partition(stop)[0] for reply in together]


def test_a_base_that_ends_a_turn_has_ended(base):
    exported = Exported.load(base / "hf", dtype="float32")
    ends = {exported.tokenizer.token_id("<|im_end|>"), exported.tokenizer.eod_id}
    assert set(exported.stop_ids) == ends
    silent = torch.full_like(exported.model.lm_head.weight, -1.0)
    silent[exported.tokenizer.token_id("<|im_end|>")] = 1.0
    exported.model.lm_head.weight.data = silent
    exported.model.model.norm.weight.data.abs_()
    exported.model.model.norm.register_forward_hook(lambda *_: torch.ones(1, 1, MODEL.hidden_size))
    assert complete(exported, exported.tokenizer.encode_batch(["def"]), max_new_tokens=4, batch_size=1) == [""]


def test_bits_per_byte_is_the_loss_over_the_bytes(hf):
    exported = Exported.load(hf, dtype="float32")
    ids = torch.tensor(exported.tokenizer.encode_batch([TEXT]))
    with torch.no_grad():
        loss = exported.model(ids, labels=ids).loss.item()
    found = text_bits_per_byte(exported, [TEXT], tokens=1000, seq_length=100)
    assert found["tokens"] == ids.shape[1]
    first = len(exported.tokenizer.decode(ids[0, :1].tolist()).encode())
    assert found["bytes"] == len(TEXT.encode()) - first
    wanted = loss * (ids.shape[1] - 1) / 0.6931471805599453 / found["bytes"]
    assert found["bits_per_byte"] == pytest.approx(wanted, rel=1e-4)
    assert text_bits_per_byte(exported, [], tokens=10, seq_length=10)["bits_per_byte"] is None


def test_settings_are_checked(tmp_path):
    with pytest.raises(ValueError, match=r"ExportConfig\.dtype must be one of bfloat16, float32, got 'int8'"):
        ExportConfig(name="x", chat=True, base="b", license="MIT", dtype="int8")
    with pytest.raises(ValueError, match=r"model\.json is missing"):
        export(tmp_path, model=tmp_path, config=ExportConfig(name="x", chat=True, base="b", license="MIT"))
