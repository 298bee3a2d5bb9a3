"""What compilers need ready-made: a precompiled C++ header, Go's and Rust's packages, the classes of Java's calls.

Guarantees: made from Debian's files and our own by trusted commands only, in a fresh environment without a network, and
before any program of the language runs; a program sees it read-only. One folder a version of the tools, written aside
and renamed, so that processes may make it at the same time. Costs, of CPU once a machine: C++ 5 s and 100 MB, Go 10 s, Rust
30 s, Java 1.5 s. A version that nobody has used for a month is deleted when another is made, and so is what a killed
process left half made. The folder is ~/.cache/qwen-specialize/sandbox (XDG_CACHE_HOME moves it).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox.languages import CPP_FLAGS, JAVAC, LANGUAGES, RUST_CRATES, SEARCHED, TOOLCHAINS, tools
from sandbox.program import LanguageUnavailable
from sandbox.stand_ins import runtime

RECIPE = "1"  # counted up when what is below makes something else
SECONDS = 600.0  # for one command, on an overloaded machine
GO_PACKAGES = "/usr/share/gocode"
RUST_REGISTRY = "/usr/share/cargo/registry"
DAY = 24 * 3600.0  # seconds
UNUSED_SECONDS = 30 * DAY
_LOCK = threading.Lock()


def cache_folder() -> Path:
    """Where prepared toolchains lie; the jail shows it as TOOLCHAINS."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "qwen-specialize" / "sandbox"


def prepare(language: str) -> str:
    """Make what the language needs, if it is not there. Returns its folder as programs see it."""
    found = tools(language)
    if not LANGUAGES[language].needs_toolchain:
        return TOOLCHAINS
    name = f"{language}-{_version(language, found)}"
    target = cache_folder() / name
    with _LOCK:
        if target.exists():
            _note_use(target)
        else:
            try:
                _make(language, found, target)
                _delete_unused(target.parent)
            except OSError as error:
                cure = "free space there, or let XDG_CACHE_HOME name a folder of yours"
                raise LanguageUnavailable(f"write {target}: {error}", cure) from error
    return f"{TOOLCHAINS}/{name}"


def _note_use(target: Path) -> None:
    """By its time of change, once a day."""
    now = time.time()
    if now - target.stat().st_mtime > DAY:
        with contextlib.suppress(OSError):  # another user's
            os.utime(target)


def _delete_unused(folder: Path) -> None:
    """Only folders with names of ours, moved aside first: nobody finds one that is half there."""
    now = time.time()
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another user's, or another process was faster
            unused = now - path.lstat().st_mtime
            if path.is_symlink() or not path.is_dir():
                continue
            if path.name.startswith(_ASIDE) and unused > DAY:
                shutil.rmtree(path, ignore_errors=True)
            elif _VERSIONED.fullmatch(path.name) and unused > UNUSED_SECONDS:
                moved = Path(tempfile.mkdtemp(dir=folder, prefix=_ASIDE))
                path.rename(moved / "unused")
                shutil.rmtree(moved, ignore_errors=True)


def _version(language: str, found: Mapping[str, str]) -> str:
    """What the prepared files depend on: the tools, their packages, our own texts."""
    marks = [RECIPE, runtime(_RUNTIME[language]), " ".join((*CPP_FLAGS, *JAVAC))]
    folders = [folder for folder in (GO_PACKAGES, RUST_REGISTRY) if Path(folder).is_dir()]
    for path in (*found.values(), *folders):
        status = Path(path).resolve().stat()
        marks.append(f"{path} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\0".join(marks).encode()).hexdigest()[:12]


def _make(language: str, found: Mapping[str, str], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=_ASIDE) as aside:
        made = Path(aside, "made")
        made.mkdir(mode=0o755)
        (made / _RUNTIME[language]).write_text(runtime(_RUNTIME[language]), encoding="utf-8")
        _RECIPES[language](found, made, f"{TOOLCHAINS}/{target.name}")
        for path in made.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)  # the jail's user is another one where we are root
        if not target.exists():
            made.rename(target)


def _run(command: list[str], folder: Path, language: str, **environment: str) -> str:
    """One trusted command. LanguageUnavailable with its last words when it fails."""
    base = {"PATH": SEARCHED, "HOME": str(folder.parent), "LANG": "C.UTF-8", "TMPDIR": str(folder.parent)}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**base, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        words = done.stderr.strip()[-300:]
        raise LanguageUnavailable(f"prepare {language}: {words}", f"apt install {LANGUAGES[language].package}")
    return done.stdout


def _cpp(found: Mapping[str, str], made: Path, _seen: str) -> None:
    _run([found["g++"], *CPP_FLAGS, "-x", "c++-header", "wire.hpp", "-o", "wire.hpp.gch"], made, "cpp")


def _java(found: Mapping[str, str], made: Path, _seen: str) -> None:
    # javac's own classes as a memory image: a quarter less CPU a compile
    flags = [word.replace("{memory}", "384") for word in JAVAC if word.startswith("-J") and "Archive" not in word]
    _run([found["javac"], *flags, "-J-XX:ArchiveClassesAtExit=javac.jsa", "-nowarn", "Wire.java"], made, "java")


def _go(found: Mapping[str, str], made: Path, seen: str) -> None:
    environment = {
        "CGO_ENABLED": "0",
        "GO111MODULE": "off",
        "GOCACHE": str(made / "cache"),
        "GOFLAGS": "",
        "GOPATH": GO_PACKAGES,
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
    }
    wanted = ["std", "github.com/stretchr/testify/assert", "github.com/stretchr/testify/require"]
    form = "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}"
    listed = _run([found["go"], "list", "-export", "-deps", "-f", form, *wanted], made, "go", **environment)
    rows = sorted({row for row in listed.splitlines() if row})
    (made / "importcfg").write_text("\n".join(rows) + "\n", encoding="utf-8")
    folder = _run([found["go"], "env", "GOTOOLDIR"], made, "go", **environment).strip()
    (made / "tool").symlink_to(Path(folder).resolve())
    compile_ = [f"{folder}/compile", "-p", "sandbox/wire", "-importcfg", "importcfg", "-o", "wire.a", "wire.go"]
    _run(compile_, made, "go", **environment)
    rows = [row.replace(str(made), seen) for row in rows]
    (made / "importcfg").write_text(
        "\n".join([*rows, f"packagefile sandbox/wire={seen}/wire.a"]) + "\n", encoding="utf-8"
    )


def _rust(found: Mapping[str, str], made: Path, _seen: str) -> None:
    project = made.parent / "project"
    for folder in ("src", ".cargo"):
        (project / folder).mkdir(parents=True)
    (project / "src" / "lib.rs").touch()
    crates = 'rand = "*"\nmd5 = "*"\nregex = {version = "*", default-features = false, features = ["std", "unicode"]}\n'
    manifest = f'[package]\nname = "crates"\nversion = "0.1.0"\nedition = "2018"\n[dependencies]\n{crates}'
    (project / "Cargo.toml").write_text(manifest, encoding="utf-8")
    source = f'[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "{RUST_REGISTRY}"\n'
    (project / ".cargo" / "config.toml").write_text(source, encoding="utf-8")
    home = str(made.parent / "cargo")
    _run([found["cargo"], "build", "--offline", "--release"], project, "rust", RUSTC=found["rustc"], CARGO_HOME=home)
    for library in (project / "target" / "release" / "deps").glob("*.rlib"):
        name = library.name.partition("-")[0].removeprefix("lib")
        shutil.copy(library, made / (f"lib{name}.rlib" if name in RUST_CRATES else library.name))
    command = ["--edition", "2018", "-O", "--crate-type", "rlib", "--crate-name", "wire", "wire.rs"]
    _run([found["rustc"], *command, "-o", "libwire.rlib"], made, "rust")


_ASIDE = ".making-"
_VERSIONED = re.compile(r"(?:cpp|go|java|rust)-[0-9a-f]{12}")
_RUNTIME = {"cpp": "wire.hpp", "go": "wire.go", "java": "Wire.java", "rust": "wire.rs"}
_RECIPES: dict[str, Callable[[Mapping[str, str], Path, str], None]] = {
    "cpp": _cpp,
    "go": _go,
    "java": _java,
    "rust": _rust,
}
