"""Compiled programs are kept for the next process: JAX's persistent cache, in a folder of our own."""

import contextlib
import hashlib
import os
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SWITCH = "ODESCENT_CACHE"
OFF = "off"
MOST_BYTES = 2**30
# What compiles faster is not worth a file.
LEAST_SECONDS = 0.02
SETTINGS = (
    "jax_compilation_cache_dir",
    "jax_compilation_cache_max_size",
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
)
# A program is written within this time, or was not written to its end.
WRITING = 60.0


def use_compilation_cache() -> str | None:
    """Have JAX keep what it compiles, and take it from there in other processes; why not, if not.

    The folder is ~/.cache/odescent (XDG_CACHE_HOME, LOCALAPPDATA), or what ODESCENT_CACHE names; `off` there keeps
    nothing. In it is a folder for each version of JAX and of XLA and each kind of processor, so that no program of
    another is looked at; each holds 1 GiB at most. A cache that JAX was told of by other means is left as it is. Two
    processes may share the folder: JAX locks it. The numbers are the same, as the same programs run.
    """
    import jax

    told = os.environ.get(SWITCH, "")
    if told == OFF or getattr(jax.config, SETTINGS[0]) is not None:
        return None
    base = told
    try:
        base = Path(told).expanduser() if told else default_folder()
        folder = base / _kind()
        folder.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "not writable", str(folder))
    except (OSError, RuntimeError) as error:
        # Of a home that is not there, pathlib says so in a RuntimeError.
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        return f"compiled programs are not kept: {base}: {reason}; {SWITCH} names another folder, or is {OFF!r}"
    for name, value in zip(SETTINGS, (str(folder), MOST_BYTES, LEAST_SECONDS, -1), strict=True):
        jax.config.update(name, value)
    return None


def default_folder() -> Path:
    """Where the system keeps what can be made again."""
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    known = os.environ.get(variable)
    return (Path(known) if known else Path.home() / ".cache") / "odescent"


def _kind() -> str:
    """Versions and processor: what a compiled program is good for."""
    versions = [f"{name}-{_version(name)}" for name in ("jax", "jaxlib")]
    return "_".join([*versions, hashlib.sha256(_processor().encode()).hexdigest()[:12]])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def _processor() -> str:
    """What the processor is and can; XLA compiles for exactly that."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8", errors="replace").splitlines() if told.exists() else []
    known = {line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))}
    return "\n".join([platform.machine(), platform.processor(), *sorted(known)])


def _remove_unfinished(folder: Path) -> None:
    """What was killed as it wrote leaves a program without the time of its last use, which JAX writes after it."""
    for program in folder.glob("*-cache"):
        used = program.with_name(f"{program.name.removesuffix('-cache')}-atime")
        # Another process may remove it meanwhile.
        with contextlib.suppress(FileNotFoundError):
            if not used.exists() and time.time() - program.stat().st_mtime > WRITING:
                program.unlink()
