"""Archives: what is good in them is read as from a folder, what is hostile has a reason, and nothing outside is ever read."""

import bz2
import collections
import gzip
import io
import json
import lzma
import os
import random
import struct
import tarfile
import zipfile
import zlib

import pytest

from corpora.collect import FIXTURE, CollectCodeConfig, Sources, collect_code, inventory
from corpora.engine import Engine
from corpora.sources import archives, tars

MIT = (FIXTURE / "iniconfig" / "LICENSE").read_text()
APACHE = (FIXTURE / "toolbox" / "LICENSE").read_text()
ENOUGH = {"budget_bytes": 10**9, "max_repository_bytes": 10**8, "num_shards": 3, "seed": 1, "kinds": ("folders",)}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CANARY = "canary_of_a_file_outside = 1\n"
GOOD = {"LICENSE": MIT, "good.py": "good = 1\n"}


def collect(stages, root, *, workers=1, **changes):
    out = stages.out()
    sources = Sources(folders=(("mine", str(root)),))
    collect_code(out, config=CollectCodeConfig(**ENOUGH | changes), sources=sources, engine=Engine(workers=workers))
    return out


def tar_member(archive, name, data=b"", **fields):
    member = tarfile.TarInfo(name)
    member.size = len(data)
    for field, value in fields.items():
        setattr(member, field, value)
    archive.addfile(member, io.BytesIO(data))


def make_tar(path, files=GOOD, extra=lambda archive: None, mode="w", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode, **options) as archive:
        for name, text in files.items():
            tar_member(archive, name, text.encode(), mtime=1_700_000_000)
        extra(archive)
    return path


def make_zip(path, files=GOOD, extra=lambda archive: None, comment=b""):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2023, 1, 2, 3, 4, 6)), text)
        extra(archive)
        archive.comment = comment
    return path


def rows(stages, out):
    """Kept paths, and the reason of each rejected one."""
    return {row["path"] for row in stages.kept(out)}, {row["path"]: row["reason"] for row in stages.rejected(out)}


ASF = (
    "# Licensed under the Apache License, Version 2.0 (the License); you may not use this file except in compliance with\n"
    "# the License. You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0\n"
)
MOZILLA = (
    "This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the MPL was not "
    "distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.\n"
)


def test_where_texts_of_several_licences_lie_a_files_own_header_decides(stages, tmp_path):
    files = {"LICENSE": APACHE, "LICENSE.roots": MOZILLA, "own.py": f"{ASF}a = 1\n", "none.py": "b = 1\n"}
    make_tar(tmp_path / "a" / "x.tar", {**files, "tagged.py": f"# SPDX-License-Identifier: MPL-2.0\n{ASF}c = 1\n"})
    make_tar(tmp_path / "a" / "y.tar", {"LICENSE": MOZILLA, "single.py": f"{ASF}d = 1\n"})
    out = collect(stages, tmp_path / "a")
    kept = stages.kept(out)
    assert [(row["path"], row["license"]) for row in kept] == [("own.py", "Apache-2.0")]
    assert kept[0]["license_evidence"] == "header, of LICENSE, LICENSE.roots"
    assert {row["path"] for row in stages.rejected(out)} >= {"none.py", "tagged.py", "single.py"}


def test_a_pointer_leaves_its_folder_to_the_one_above(stages, tmp_path):
    files = {"LICENSE": MIT, "docs/license.rst": ".. literalinclude:: ../LICENSE\n", "docs/conf.py": "a = 1\n"}
    hidden = {
        "no/LICENSE": "You may not copy this, see ../LICENSE.",
        "no/c.py": "c = 1\n",
        "x/License.cs": "x",
        "x/d.py": "d\n",
    }
    make_tar(tmp_path / "a" / "x.tar", files | hidden)
    out = collect(stages, tmp_path / "a")
    kept = {row["path"]: row["license_evidence"] for row in stages.kept(out)}
    assert kept.items() >= {"docs/conf.py": "LICENSE", "x/d.py": "LICENSE"}.items()
    assert "no/c.py" not in kept


# What is good ------------------------------------------------------------------------------------------------------------

PROJECT = {
    "LICENSE": MIT,
    "a.py": "a = 1\n",
    "part/LICENSE.txt": APACHE,
    "part/deep/b.py": "b = 1\n",
    "part/tagged.py": "# SPDX-License-Identifier: GPL-3.0-only\n",
    "gpl/package.json": '{"license": "GPL-3.0-only"}',
    "gpl/d.py": "d = 1\n",
    "secret/COPYING": "All rights reserved.",
    "secret/c.py": "c = 1\n",
    "run": "#!/usr/bin/env python\nr = 1\n",
    "node_modules/x.py": "x = 1\n",
}


def make_folder(path, files):
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


def below(folder, files):
    return {f"{folder}/{name}": text for name, text in files.items()}


def zst(path, files):
    import pyarrow as pa

    make_tar(path.with_suffix(""), files)
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        stream.write(path.with_suffix("").read_bytes())
    path.with_suffix("").unlink()


MAKERS = {
    "p.tar": make_tar,
    "p.tar.gz": lambda path, files: make_tar(path, files, mode="w:gz"),
    "p.tgz": lambda path, files: make_tar(path, below("top", files), mode="w:gz", format=tarfile.GNU_FORMAT),
    "p.tar.bz2": lambda path, files: make_tar(path, files, mode="w:bz2"),
    "p.tar.xz": lambda path, files: make_tar(path, below("./top", files), mode="w:xz"),
    "p.tar.zst": zst,
    "p.zip": lambda path, files: make_zip(path, below("top", files)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_an_archive_is_read_as_the_folder_it_was_made_of(stages, tmp_path, name):
    MAKERS[name](tmp_path / "archives" / name, PROJECT)
    out = [
        collect(stages, root, languages=("Python", "Shell"))
        for root in (make_folder(tmp_path / "p", PROJECT), tmp_path / "archives")
    ]
    found = [
        (
            {row["path"]: (row["text"], row["license"], row["license_evidence"]) for row in stages.kept(one)},
            {row["path"]: (row["reason"], row["evidence"]) for row in stages.rejected(one)},
        )
        for one in out
    ]
    assert found[0] == found[1]
    assert found[0][0].keys() == {"a.py", "part/deep/b.py", "run"}
    assert found[0][1]["gpl/d.py"] == ("license_not_allowed", "GPL-3.0-only (gpl/package.json)")
    assert [row["path"] for row in stages.kept(out[1])] == sorted(found[1][0])


def test_metadata_answers_where_no_licence_file_does_and_says_how_texts_join(stages, tmp_path):
    files = {
        "pyproject.toml": '[project]\nlicense = "MIT"\n',
        "a.py": "a = 1\n",
        "dual/Cargo.toml": '[package]\nlicense = "MIT OR Apache-2.0"\n',
        "dual/LICENSE-MIT": MIT,
        "dual/LICENSE-APACHE": APACHE,
        "dual/b.py": "b = 1\n",
        "closed/package.json": '{"license": "UNLICENSED"}',
        "closed/c.py": "c = 1\n",
        "odd/package.json": '{"license": "MIT"}',
        "odd/LICENSE": "Ask my lawyer.",
        "odd/d.py": "d = 1\n",
    }
    out = collect(stages, make_tar(tmp_path / "p.tar", files))
    assert {row["path"]: (row["license"], row["license_evidence"]) for row in stages.kept(out)} == {
        "a.py": ("MIT", "pyproject.toml"),
        "dual/b.py": ("MIT OR Apache-2.0", "dual/LICENSE-APACHE, dual/LICENSE-MIT; dual/Cargo.toml"),
    }
    assert {row["path"]: row["evidence"] for row in stages.rejected(out)} == {
        "closed/c.py": "UNLICENSED (closed/package.json)",
        "odd/d.py": "unknown (odd/LICENSE: not a known licence text)",
    }


def test_the_commit_is_read_where_git_writes_it(stages, tmp_path):
    headers = {"comment": COMMIT}
    make_tar(tmp_path / "src/ann__tool.tar.gz", below("tool-1", GOOD), mode="w:gz", pax_headers=headers)
    make_zip(tmp_path / "src/bob/tool.zip", below(f"tool-{COMMIT}", GOOD), comment=COMMIT.encode())
    make_tar(tmp_path / "src/plain.tar", GOOD)
    kept = stages.kept(collect(stages, tmp_path / "src"))
    assert {(row["repository"], row["path"], row["revision"], row["date"]) for row in kept} == {
        ("ann/tool", "good.py", COMMIT, "2023-11-14T22:13:20+00:00"),
        ("bob/tool", "good.py", COMMIT, "2023-01-02T03:04:06+00:00"),
        ("mine/plain", "good.py", "", None),
    }
    assert {row["split"] for row in kept} == {"train", "heldout"}


def test_owners_of_archives_are_opted_out(stages, tmp_path):
    for name, top in {"ann/x.zip": "x-1", "bob__y.zip": "y", "z.zip": "cy-dee-zed-0123456", "w.zip": "w"}.items():
        make_zip(tmp_path / "src" / name, below(top, GOOD))
    (tmp_path / "out.txt").write_text("ann\nbob/y\ncy-dee/zed\n")
    out = stages.out()
    sources = Sources(folders=(("mine", str(tmp_path / "src")),), opt_out=str(tmp_path / "out.txt"))
    collect_code(out, config=CollectCodeConfig(**ENOUGH), sources=sources, engine=Engine())
    assert {row["repository"] for row in stages.kept(out)} == {"mine/w"}
    assert {(row["repository"], row["reason"], row["evidence"]) for row in stages.rejected(out)} == {
        ("ann/x", "opted_out", "ann"),
        ("bob/y", "opted_out", "bob/y"),
        ("mine/z", "opted_out", "cy-dee/zed"),
    }


def test_a_project_with_an_archive_in_it_is_one_repository(stages, tmp_path):
    make_folder(tmp_path / "p", PROJECT)
    make_zip(tmp_path / "p" / "data.zip", {"LICENSE": MIT, "inside.py": CANARY})
    assert rows(stages, collect(stages, tmp_path / "p"))[0] == {"a.py", "part/deep/b.py"}


def test_one_and_two_workers_write_the_same_bytes(stages, tmp_path, same_bytes):
    from tests.corpora.test_sources_git import commit, make, run

    checkout = make(tmp_path / "src/o/tool", {"LICENSE": MIT, "README.md": "Words.\n", "c.py": "c = 1\n"})
    cells = [{"cell_type": "code", "source": "n = 1"}]
    notebook = {"cells": cells, "metadata": {"kernelspec": {"name": "python3"}}}
    (checkout / "c.py").write_text("c = 2\n")
    (checkout / "n.ipynb").write_text(json.dumps(notebook))
    commit(checkout, "Double the value of c")
    run(tmp_path, "clone", "-q", "--bare", str(checkout), "src/o/clone.git")
    every = {"notebooks": True, "domains": ("code", "documentation", "commits"), "max_commit_files": 2}
    for number in range(12):
        make_tar(tmp_path / f"src/o/r{number}.tar.gz", {**GOOD, f"f{number}.py": f"n = {number}\n"}, mode="w:gz")
    first, second = (collect(stages, tmp_path / "src", workers=workers, **every) for workers in (1, 2))
    same_bytes(first, second)
    kept = collections.Counter((row["domain"], row["repository"]) for row in stages.kept(first))
    assert len(kept) == 12 + 3 + 3
    assert {number for (domain, name), number in kept.items() if name in ("o/tool", "o/clone")} == {1, 2}


def test_another_archive_is_another_identity(tmp_path):
    sources, seen = Sources(folders=(("mine", str(tmp_path / "src")),)), set()
    edits = [
        lambda: make_tar(tmp_path / "src/a.tar"),
        lambda: make_tar(tmp_path / "src/a.tar", {**GOOD, "more.py": "m" * 20_000}),
        lambda: os.utime(tmp_path / "src/a.tar", ns=(0, 0)),
        lambda: make_zip(tmp_path / "src/b.zip"),
        (tmp_path / "src/b.zip").unlink,
    ]
    for edit in edits:
        edit()
        seen.add(inventory(CollectCodeConfig(**ENOUGH), sources)["mine"])
    assert len(seen) == 4  # the last edit brings the third state back


def test_a_file_that_is_no_archive_is_refused_by_name(tmp_path):
    (tmp_path / "a.rar").write_text("x")
    with pytest.raises(ValueError, match="no such folder or archive"):
        inventory(CollectCodeConfig(**ENOUGH), Sources(folders=(("mine", str(tmp_path / "a.rar")),)))


# What is hostile ---------------------------------------------------------------------------------------------------------


def linked(kind, name, target):
    return lambda archive: tar_member(archive, name, type=kind, linkname=target)


def special(kind, name):
    return lambda archive: tar_member(archive, name, type=kind)


def several(*members):
    return lambda archive: [tar_member(archive, name, data) for name, data in members]


TAR_MEMBERS = {
    "a link out": (linked(tarfile.SYMTYPE, "l.py", "../outside.py"), {"l.py": "link"}),
    "an absolute link": (linked(tarfile.SYMTYPE, "l.py", "{outside}"), {"l.py": "link"}),
    "a hard link out": (linked(tarfile.LNKTYPE, "h.py", "{outside}"), {"h.py": "link"}),
    "a link and a file through it": (
        lambda archive: (
            linked(tarfile.SYMTYPE, "d", "{folder}")(archive),
            tar_member(archive, "d/outside.py", b"x = 1\n"),
        ),
        {"d": "link"},
    ),
    "a pipe": (special(tarfile.FIFOTYPE, "f.py"), {"f.py": "not_regular"}),
    "a character device": (special(tarfile.CHRTYPE, "zero.py"), {"zero.py": "not_regular"}),
    "a block device": (special(tarfile.BLKTYPE, "disk.py"), {"disk.py": "not_regular"}),
    "a sparse file": (special(tarfile.GNUTYPE_SPARSE, "s.py"), {"s.py": "not_regular"}),
    "a type that nobody knows": (special(b"Q", "q.py"), {"q.py": "not_regular"}),
    "an absolute path": (several(("/etc/a.py", b"a = 1\n")), {"/etc/a.py": "outside"}),
    "a path up": (several(("x/../../a.py", b"a = 1\n")), {"x/../../a.py": "outside"}),
    "a drive": (several(("C:/a.py", b"a = 1\n")), {"C:/a.py": "outside"}),
    "backslashes": (several(("a\\b.py", b"a = 1\n")), {"a\\b.py": "file_name"}),
    "a line end in a name": (several(("a\nb.py", b"a = 1\n")), {"a\\x0ab.py": "file_name"}),
    "a name that is not UTF-8": (several(("\udcff.py", b"a = 1\n")), {"\\xff.py": "file_name"}),
    "a very long name": (several(("n" * 9000 + ".py", b"a = 1\n")), {"n" * 100 + "... (9003 characters)": "file_name"}),
    "a name twice": (several(("good.py", b"evil = 1\n")), {"good.py": "duplicate_name"}),
    "a large file": (several(("large.py", b"x" * 1_000_001)), {"large.py": "file_bytes"}),
    "UTF-16": (several(("wide.py", "a = 1\n".encode("utf-16"))), {"wide.py": "not_utf8"}),
    "Latin-1": (several(("latin.py", "é = 1\n".encode("latin-1"))), {"latin.py": "not_utf8"}),
    "an archive in it": (several(("in.zip", b"PK\x05\x06" + bytes(18)), ("in.tar.py", b"")), {"in.tar.py": "empty"}),
}


@pytest.mark.parametrize("name", TAR_MEMBERS)
def test_a_hostile_member_of_a_tar_file_has_a_reason(stages, tmp_path, name):
    make, reasons = TAR_MEMBERS[name]
    (tmp_path / "outside.py").write_text(CANARY)

    def extra(archive):
        add = archive.addfile

        def addfile(member, stream=None):
            member.linkname = member.linkname.format(outside=tmp_path / "outside.py", folder=tmp_path)
            add(member, stream)

        archive.addfile = addfile
        make(archive)

    out = collect(stages, make_tar(tmp_path / "src" / "a.tar", extra=extra))
    kept, rejected = rows(stages, out)
    texts = {row["text"] for row in stages.kept(out)}
    assert CANARY not in texts
    assert "good = 1\n" in texts  # the others are read
    assert rejected == reasons
    assert kept <= {"good.py", "d/outside.py"}  # the latter is a member, not the file that the link would lead to


def zip_member(name, data=b"x = 1\n", *, mode=0o100644, **fields):
    def add(archive):
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, mode << 16
        archive.writestr(info, data)
        for field, value in fields.items():
            setattr(info, field, value)

    return add


def twice(archive):
    with pytest.warns(UserWarning, match="Duplicate name"):
        zip_member("good.py", b"evil = 1\n")(archive)


ZIP_MEMBERS = {
    "a link": (zip_member("l.py", b"../outside.py", mode=0o120777), {"l.py": "link"}),
    "a pipe": (zip_member("p.py", mode=0o010644), {"p.py": "not_regular"}),
    "a device": (zip_member("p.py", mode=0o020644), {"p.py": "not_regular"}),
    "encrypted": (zip_member("e.py", flag_bits=0x1), {"e.py": "encrypted"}),
    "a method that is not read": (
        lambda archive: archive.writestr("b.py", b"b = 1\n", zipfile.ZIP_BZIP2),
        {"b.py": "compression"},
    ),
    "a path up": (zip_member("../outside.py"), {"../outside.py": "outside"}),
    "an absolute path": (zip_member("/outside.py"), {"/outside.py": "outside"}),
    "a path up with backslashes": (zip_member("..\\outside.py"), {"..\\outside.py": "outside"}),
    "a drive": (zip_member("C:\\outside.py"), {"C:\\outside.py": "outside"}),
    "a line end in a name": (zip_member("a\nb.py"), {"a\\x0ab.py": "file_name"}),
    "a name twice": (twice, {"good.py": "duplicate_name"}),
    "a declared bomb": (zip_member("big.py", b"0" * 10**6, file_size=10**9), {"big.py": "bomb"}),
    "more than it declares": (zip_member("more.py", b"x = 1\n" * 99, file_size=6), {"more.py": "corrupt"}),
    "less than it declares": (zip_member("less.py", b"x = 1\n", file_size=600), {"less.py": "corrupt"}),
    "a wrong checksum": (zip_member("sum.py", CRC=1), {"sum.py": "corrupt"}),
}


@pytest.mark.parametrize("name", ZIP_MEMBERS)
def test_a_hostile_member_of_a_zip_file_has_a_reason(stages, tmp_path, name):
    make, reasons = ZIP_MEMBERS[name]
    (tmp_path / "outside.py").write_text(CANARY)
    out = collect(stages, make_zip(tmp_path / "src" / "a.zip", extra=make))
    assert rows(stages, out) == ({"good.py"}, reasons)
    assert {row["text"] for row in stages.kept(out)} == {"good = 1\n"}


def raw_header(name, *, size=0, kind=b"0", field=None):
    header = bytearray(512)
    header[:100] = name.encode().ljust(100, b"\0")
    header[124:136] = field or b"%011o\0" % size
    header[156:157], header[257:265] = kind, b"ustar\x0000"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


END = bytes(1024)
GOOD_TAR = raw_header("good.py", size=9) + b"good = 1\n".ljust(512, b"\0")


def zeros(count):
    """So many zeros in gzip, without holding them."""
    packer, part = zlib.compressobj(9, wbits=31), bytes(1 << 20)
    return b"".join([*(packer.compress(part) for _ in range(count >> 20)), packer.flush()])


def directory_of(size):
    return struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, 0, 0)


def random_bytes(count):
    return random.Random(0).randbytes(count)


def xz_window(byte):
    """An xz stream whose dictionary is as large as one byte of its block header says."""
    data = lzma.compress(GOOD_TAR + END)
    header = bytearray(data[12:24])
    header[4] = byte
    header[8:12] = struct.pack("<L", zlib.crc32(header[:8]))
    return data[:12] + bytes(header) + data[24:]


XZ_OF_A_GIGABYTE = xz_window(36)

WHOLE = {
    "empty": ("a.tar", b"", "corrupt"),
    "no tar file": ("a.tar", random_bytes(2048), "corrupt"),
    "cut in a member": ("a.tar", GOOD_TAR[:-100], "corrupt"),
    "without an end": ("a.tar", GOOD_TAR, "corrupt"),
    "cut gzip": ("a.tar.gz", gzip.compress(GOOD_TAR + END)[:-9], "corrupt"),
    "wrong gzip checksum": ("a.tar.gz", gzip.compress(GOOD_TAR + END)[:-8] + bytes(8), "corrupt"),
    "no gzip": ("a.tgz", GOOD_TAR + END, "corrupt"),
    "cut bzip2": ("a.tar.bz2", bz2.compress(GOOD_TAR + END)[:-9], "corrupt"),
    "cut xz": ("a.tar.xz", lzma.compress(GOOD_TAR + END)[:-9], "corrupt"),
    "no xz": ("a.tar.xz", random_bytes(300), "corrupt"),
    "no zstd": ("a.tar.zst", random_bytes(300), "corrupt"),
    "an xz window of 1 GB": (
        "a.tar.xz",
        XZ_OF_A_GIGABYTE,
        "corrupt",
    ),
    "a negative size": ("a.tar", raw_header("a.py", field=b"\xff" * 12) + END, "corrupt"),
    "a size that is none": ("a.tar", raw_header("a.py", field=b"9" * 11 + b"\0") + END, "corrupt"),
    "a size of an exabyte": (
        "a.tar",
        raw_header("a.py", field=b"\x80" + b"\0" * 3 + b"\x10" + bytes(7)) + END,
        "corrupt",
    ),
    "a header of a gigabyte": ("a.tar", raw_header("x", size=1 << 30, kind=b"x") + END, "corrupt"),
    "a pax record that lies": (
        "a.tar",
        raw_header("x", size=512, kind=b"x") + b"99999 path=a\n".ljust(512) + END,
        "corrupt",
    ),
    "headers of headers": ("a.tar.gz", gzip.compress(raw_header("x", kind=b"x") * 20_000), "corrupt"),
    "a tar bomb": ("a.tar.gz", gzip.compress(raw_header("a.py", size=1 << 32)) + zeros(1 << 28), "bomb"),
    "no zip file": ("a.zip", random_bytes(300), "corrupt"),
    "cut zip": ("a.zip", None, "corrupt"),
    "a zip directory of 4 GB": ("a.zip", directory_of(0xFFFFFF00), "bomb"),
    "a zip directory that is not there": ("a.zip", directory_of(500), "corrupt"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_an_archive_that_cannot_be_read_whole_is_refused_whole(stages, tmp_path, name):
    file, data, reason = WHOLE[name]
    if data is None:
        data = make_zip(tmp_path / "whole.zip").read_bytes()[:-30]
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / file).write_bytes(data)
    make_zip(tmp_path / "src" / "good.zip")
    out = collect(stages, tmp_path / "src")
    assert [row["repository"] for row in stages.kept(out)] == ["mine/good"]
    ((repository, path, found, evidence),) = [
        (row["repository"], row["path"], row["reason"], row["evidence"]) for row in stages.rejected(out)
    ]
    assert (repository, path, found) == ("mine/a", "", reason)
    assert evidence


def test_a_licence_cannot_be_cut_off(stages, tmp_path):
    """What a truncated archive still holds is not read: the licence of its part may be in what is missing."""
    files = {"LICENSE": MIT, "part/x.py": "x = 1\n", "part/LICENSE": "All rights reserved."}
    data = make_tar(tmp_path / "a.tar", files).read_bytes()
    (tmp_path / "a.tar").write_bytes(data[: data.index(b"part/LICENSE")])
    assert rows(stages, collect(stages, tmp_path / "a.tar")) == (set(), {"": "corrupt"})


@pytest.mark.parametrize(
    ("bound", "value", "maker"),
    [
        ("MAXIMUM_MEMBERS", 10, lambda path: make_zip(path / "a.zip", {f"f{n}.py": "x" for n in range(20)})),
        ("MAXIMUM_MEMBERS", 10, lambda path: make_tar(path / "a.tar", {f"f{n}.py": "x" for n in range(20)})),
    ],
)
def test_too_many_members_are_a_bomb(stages, tmp_path, monkeypatch, bound, value, maker):
    monkeypatch.setattr(archives, bound, value)
    assert rows(stages, collect(stages, maker(tmp_path))) == (set(), {"": "bomb"})


def test_too_many_bytes_are_a_bomb(stages, tmp_path, monkeypatch):
    monkeypatch.setattr(tars, "MAXIMUM_BYTES", 10_000)
    archive = make_tar(tmp_path / "a.tar", {f"f{n}.py": "x" * 1000 for n in range(20)})
    assert rows(stages, collect(stages, archive)) == (set(), {"": "bomb"})


def test_ten_thousand_refusals_do_not_fill_the_work_list(stages, tmp_path):
    def links(archive):
        for number in range(3_000):
            tar_member(archive, f"l{number}.py", type=tarfile.SYMTYPE, linkname="/etc/passwd")

    kept, rejected = rows(stages, collect(stages, make_tar(tmp_path / "a.tar", extra=links)))
    assert (kept, len(rejected), rejected[""]) == ({"good.py"}, 1_001, "refused_members")


def test_an_archive_that_is_a_link_or_a_pipe_is_not_opened(stages, tmp_path):
    make_tar(tmp_path / "outside.tar", {"LICENSE": MIT, "c.py": CANARY})
    make_tar(tmp_path / "src" / "good.tar")
    (tmp_path / "src" / "link.tar").symlink_to(tmp_path / "outside.tar")
    os.mkfifo(tmp_path / "src" / "pipe.tar")
    assert rows(stages, collect(stages, tmp_path / "src")) == ({"good.py"}, {})


def test_an_archive_that_changes_after_the_plan_says_so(tmp_path):
    from dataclasses import replace

    path = make_tar(tmp_path / "a.tar", {"a.py": "a = 1\n", "b.py": "b = 1\n"})
    planned = replace(archives.repository("a", path, source="s"), sizes=())
    make_tar(path, {"a.py": "a = 22\n"})
    found = dict(archives.contents(planned, 100))
    assert found["a.py"] == b"a = 22\n"
    assert found["b.py"]["reason"] == "unreadable"
    path.write_bytes(path.read_bytes()[:515])
    assert {one["reason"] for one in dict(archives.contents(planned, 100)).values()} == {"corrupt"}
    path.unlink()
    found = list(dict(archives.contents(planned, 100)).values())
    assert found == [{"reason": "unreadable", "evidence": "No such file or directory"}] * 2


def test_listing_does_not_extract(stages, tmp_path):
    make_tar(tmp_path / "src" / "a.tar.gz", mode="w:gz")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    collect(stages, tmp_path / "src")
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
