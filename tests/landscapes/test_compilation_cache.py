"""What is compiled is kept for the next process, in a folder that says what it is good for."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import jax
import pytest

from landscapes import compilation_cache
from landscapes.compilation_cache import SETTINGS, use_compilation_cache

PROGRAM = """
import json, jax, jax.numpy as jnp
jax.config.update("jax_enable_x64", True)
from landscapes.compilation_cache import use_compilation_cache
told = use_compilation_cache()
import discrete, flows, landscapes
toy = landscapes.two_valleys()
seen = {"misses": 0}
jax.monitoring.register_event_listener(
    lambda name, **_: seen.update(misses=seen["misses"] + (name == "/jax/compilation_cache/cache_misses"))
)
flow = flows.GradientFlow(discrete.GradientDescent(0.02))
found = flows.solve(flow, toy.loss, toy.params, steps=20, observe={"s": landscapes.Sharpness(toy.loss)})
numbers = [float(x).hex() for x in [*found.final_params, *found.observations["s"].ravel()]]
print(json.dumps({"told": told, "numbers": numbers, "misses": seen["misses"]}))
"""


def ran(folder, **more):
    """What the program says in a process of its own, with the cache in that folder."""
    keep = {key: value for key, value in os.environ.items() if not key.upper().startswith("JAX_")}
    environment = keep | {"ODESCENT_CACHE": str(folder)} | more
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def unset(monkeypatch, tmp_path):
    """JAX without a cache, put back afterwards; ODESCENT_CACHE names a new folder."""
    before = {name: getattr(jax.config, name) for name in SETTINGS}
    jax.config.update(SETTINGS[0], None)
    monkeypatch.setenv("ODESCENT_CACHE", str(tmp_path / "kept"))
    yield tmp_path / "kept"
    for name, value in before.items():
        jax.config.update(name, value)


def test_the_second_process_takes_what_the_first_compiled_to_the_same_bits(tmp_path):
    first, second = ran(tmp_path), ran(tmp_path)
    assert first["told"] is None and second["misses"] < first["misses"]
    assert second["numbers"] == first["numbers"]
    (folder,) = tmp_path.iterdir()
    assert f"jax-{jax.__version__}" in folder.name
    assert any("advance" in path.name for path in folder.glob("*-cache"))


@pytest.mark.slow
def test_a_truncated_program_is_compiled_again(tmp_path):
    first = ran(tmp_path)
    for path in tmp_path.glob("*/*-cache"):
        path.write_bytes(path.read_bytes()[:100])
    assert ran(tmp_path)["numbers"] == first["numbers"]


def test_off_keeps_nothing(unset, monkeypatch):
    monkeypatch.setenv("ODESCENT_CACHE", "off")
    assert use_compilation_cache() is None
    assert jax.config.jax_compilation_cache_dir is None and not unset.exists()


def test_a_cache_that_jax_was_told_of_is_left_alone(unset, tmp_path):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "other"))
    assert use_compilation_cache() is None
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "other") and not unset.exists()


def test_a_folder_that_cannot_be_made_is_told_and_nothing_is_kept(unset, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ODESCENT_CACHE", str(tmp_path / "file"))
    told = use_compilation_cache()
    assert told.startswith("compiled programs are not kept: ") and "ODESCENT_CACHE names another folder" in told
    assert jax.config.jax_compilation_cache_dir is None


def test_a_home_that_is_not_there_is_told(unset, monkeypatch):
    monkeypatch.setenv("ODESCENT_CACHE", "~nobody-of-this-name/kept")
    assert "compiled programs are not kept: ~nobody-of-this-name/kept: " in use_compilation_cache()
    assert jax.config.jax_compilation_cache_dir is None


def test_another_version_or_processor_has_another_folder(unset, monkeypatch):
    use_compilation_cache()
    here = jax.config.jax_compilation_cache_dir
    for name, value in {"_version": lambda name: "9.9", "_processor": lambda: "another"}.items():
        jax.config.update("jax_compilation_cache_dir", None)
        with monkeypatch.context() as changed:
            changed.setattr(compilation_cache, name, value)
            use_compilation_cache()
        assert jax.config.jax_compilation_cache_dir not in (None, here)
    assert len(list(unset.iterdir())) == 3


def test_what_a_killed_process_left_is_removed(unset):
    use_compilation_cache()
    folder = Path(jax.config.jax_compilation_cache_dir)
    old, new, whole = (folder / f"{name}-cache" for name in ("old", "new", "whole"))
    for path in (old, new, whole):
        path.write_bytes(b"part")
    (folder / "whole-atime").write_bytes(bytes(8))
    long_ago = time.time() - 1000
    for path in (old, whole):
        os.utime(path, (long_ago, long_ago))
    jax.config.update("jax_compilation_cache_dir", None)
    use_compilation_cache()
    assert not old.exists() and new.exists() and whole.exists()


def test_the_folder_is_where_the_system_keeps_such_things(monkeypatch, tmp_path):
    monkeypatch.setenv("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", str(tmp_path))
    assert compilation_cache.default_folder() == tmp_path / "odescent"
    monkeypatch.delenv("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    assert compilation_cache.default_folder().name == "odescent"
