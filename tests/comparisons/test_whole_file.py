"""Files are there whole or not at all, and nothing that lies in the way is written through."""

import errno
import os
import secrets

import pytest
from comparison_cases import usual

from comparisons.storage.whole_file import expanded, telling, unfinished_name, whole_file, write_atomically


def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    write_atomically(path, b"before")
    with pytest.raises(TypeError), whole_file(path) as file:
        file.writelines([b"half", "no bytes"])
    with pytest.raises(OSError, match="No space left") as caught, whole_file(path) as file:
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"] and path.read_bytes() == b"before"


def test_a_link_in_the_place_of_the_temporary_name_is_not_written_through(tmp_path, monkeypatch):
    """Even if somebody guesses the name."""
    monkeypatch.setattr(secrets, "token_hex", lambda count: "0" * 16)
    victim = tmp_path / "victim"
    victim.write_text("years")
    link = tmp_path / f".a.json.{'0' * 16}.part"
    link.symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "a.json", b"new")
    assert victim.read_text() == "years" and not (tmp_path / "a.json").exists()


def test_a_link_in_the_place_of_the_file_is_replaced_and_its_target_left_alone(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("years")
    (tmp_path / "a.json").symlink_to(victim)
    write_atomically(tmp_path / "a.json", b"new")
    assert victim.read_text() == "years" and not (tmp_path / "a.json").is_symlink()


def test_a_file_is_as_open_to_others_as_any_other(tmp_path):
    write_atomically(tmp_path / "a", b"")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_names_of_unfinished_files_are_told_from_others():
    assert unfinished_name(".config.json.0123456789abcdef.part") == "config.json"
    assert unfinished_name(".config.json.part") == "config.json"
    for other in ("config.json", "config.json.part", ".config.json", ".part", ".config.json.partly"):
        assert unfinished_name(other) is None


def test_what_is_safe_is_told_beside_what_failed():
    with pytest.raises(OSError) as caught, telling("the rest is safe"):
        raise OSError(errno.ENOSPC, "No space left on device", "a.npz")
    assert caught.value.strerror == "No space left on device (the rest is safe)" and caught.value.filename == "a.npz"


def test_home_is_expanded_and_an_unknown_one_refused(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert str(expanded("~/runs", "out")) == "/somewhere/runs"
    with pytest.raises(ValueError, match="`out` ~nobody-of-that-name/x names the home folder of a user"):
        expanded("~nobody-of-that-name/x", "out")
    with pytest.raises(ValueError, match="`out` is empty"):
        expanded("", "out")


def test_a_comparison_is_saved_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert usual().save("~/a/b.nc") == tmp_path / "a" / "b.nc"
    assert os.listdir(tmp_path) == ["a"] and os.listdir(tmp_path / "a") == ["b.nc"]
