"""Prepared toolchains that nobody uses any more go; whatever else is beside them stays."""

import os
import time

from sandbox import toolchains

OLD = time.time() - toolchains.UNUSED_SECONDS - toolchains.DAY


def made(folder, name, changed=OLD):
    path = folder / name
    path.mkdir()
    (path / "wire.hpp").touch()
    os.utime(path, (changed, changed))
    return path


def test_only_what_is_ours_and_unused_is_deleted(tmp_path):
    made(tmp_path, "cpp-0123456789ab")
    made(tmp_path, ".making-killed")
    kept = {
        made(tmp_path, "java-0123456789ab", time.time()),
        made(tmp_path, "cpp-0123456789ab-mine"),
        made(tmp_path, "notes"),
        made(tmp_path, ".making-now", time.time()),
    }
    elsewhere = made(tmp_path, "elsewhere", time.time())
    link = tmp_path / "go-0123456789ab"
    link.symlink_to(elsewhere)
    os.utime(link, (OLD, OLD), follow_symlinks=False)
    toolchains._delete_unused(tmp_path)
    assert set(tmp_path.iterdir()) == {*kept, elsewhere, link}
    assert (elsewhere / "wire.hpp").exists()


def test_what_is_used_is_noted_once_a_day(tmp_path):
    used = made(tmp_path, "cpp-0123456789ab")
    toolchains._note_use(used)
    noted = used.stat().st_mtime
    assert noted > OLD
    toolchains._note_use(used)
    assert used.stat().st_mtime == noted
