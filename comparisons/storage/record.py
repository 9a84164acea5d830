"""A run on disk while it goes on: finished blocks, and the state from which it continues.

Layout of the folder: `configuration.json`, `block-00000.npz`, ... and `state.npz`. Each file is written whole, the
state after its block, so that a killed run loses the block in hand and nothing else. The configuration is written first
and removed first: without it there is no unfinished run here.
"""

import contextlib
import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from discrete.running.march import Marched

from ..clock import spent_on
from .exclusive import hold
from .stored_json import read_json
from .whole_file import expanded, telling, unfinished_name, whole_file, write_atomically as write_atomically

STATE = "state.npz"
CONFIGURATION = "configuration.json"
WRITTEN_BY = {1: "0.1", 2: "0.2 before its release"}
_OWN = re.compile(rf"{re.escape(CONFIGURATION)}|{re.escape(STATE)}|block-\d{{5,}}\.npz")
_SAFE = "the finished blocks are safe; when there is room again, resume the run"
_REMEDY = "start the run again in an empty folder, or replace it"


class Record:
    """Writes the progress of a run, and reads it back. The configuration must be the same on both occasions."""

    def __init__(self, folder: str | Path, configuration: dict[str, Any], *, resume: bool):
        self.folder = expanded(folder, "folder")
        self.configuration = configuration
        if resume:
            self._check_configuration()
            self._hold = hold(self.folder, "folder")
        elif (self.folder / STATE).exists():
            raise ValueError(f"`folder` {self.folder} holds a run; resume it or choose another folder.")
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._hold = hold(self.folder, "folder")
            write_atomically(self.folder / CONFIGURATION, json.dumps(configuration, indent=1).encode())
        _remove(self.folder, leftovers(self.folder))

    def write(self, marched: Marched) -> None:
        """Save the newest block, then the state after it."""
        number = len(marched.parts) - 1
        with telling(_SAFE), spent_on("storage"):
            self._savez(f"block-{number:05d}.npz", _numbered(marched.parts[-1]))
            counts = {"done": marched.done, "blocks": number + 1}
            counts |= {f"samples/{name}": count for name, count in marched.samples.items()}
            counts |= {f"seconds/{name}": seconds for name, seconds in marched.seconds.items()}
            self._savez(STATE, _numbered(marched.carries) | {key: np.asarray(value) for key, value in counts.items()})

    def read(self, fresh: Marched, part_shapes: dict[str, Any]) -> Marched:
        """How far the run had come. fresh: the same run at its start; part_shapes: the structure of a block.

        ValueError where a file is missing, damaged, or of another run.
        """
        if not (self.folder / STATE).exists():
            return fresh
        names, state = list(fresh.carries), self._load(STATE)
        try:
            count, done = int(state["blocks"]), int(state["done"])
            samples = {name: int(state[f"samples/{name}"]) for name in names}
            seconds = {name: float(state[f"seconds/{name}"]) for name in names}
            carries = _restored(state, fresh.carries)
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(STATE, error) from error
        parts = [self._part(f"block-{i:05d}.npz", part_shapes) for i in range(count)]
        return Marched(jax.tree.map(jnp.asarray, carries), samples, seconds, parts, done)

    def _part(self, name: str, shapes: dict[str, Any]) -> dict[str, Any]:
        """The measurements of a block; a side that was left behind has none."""
        block = self._load(name)
        try:
            return _restored(block, {side: shapes[side] for side in shapes if f"{side}:0" in block}, rows=True)
        except (KeyError, ValueError) as error:
            raise self._damaged(name, error) from error

    def _check_configuration(self) -> None:
        path = self.folder / CONFIGURATION
        if not path.exists():
            raise ValueError(
                f"`resume` needs an unfinished run, and {self.folder} holds none; start it without resume."
            )
        before = read_json(path, {...: object}, remedy=_REMEDY)
        now = json.loads(json.dumps(self.configuration))
        if before.get("layout", 1) != now.get("layout", 1):
            raise ValueError(
                f"`resume` cannot go on in {self.folder}: that run was begun by odescent "
                f"{WRITTEN_BY.get(before.get('layout', 1), 'of another version')}, which wrote other files; "
                f"{_REMEDY}, or finish it with that version."
            )
        for key in [*now, *before]:
            if before.get(key) != now.get(key):
                raise ValueError(
                    f"`resume` must repeat the run in {self.folder}: its {key} is {before.get(key)!r}, "
                    f"now it is {now.get(key)!r}."
                )

    def _savez(self, name: str, arrays: dict[str, np.ndarray]) -> None:
        with whole_file(self.folder / name) as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]

    def _load(self, name: str) -> dict[str, np.ndarray]:
        try:
            # Of a file that it cannot read, np.load leaves the handle open.
            with (self.folder / name).open("rb") as opened, np.load(opened) as file:
                return dict(file)
        except (OSError, ValueError, TypeError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
            raise self._damaged(name, error) from error

    def _damaged(self, name: str, error: Exception) -> ValueError:
        found = " ".join(str(error).split())[:200] or type(error).__name__
        return ValueError(f"{self.folder / name} is missing or damaged ({found}); {_REMEDY}.")


def is_unfinished(folder: Path) -> bool:
    """Whether a run has begun in the folder and not ended."""
    return (folder / CONFIGURATION).exists()


def discard(folder: Path) -> None:
    """Remove an unfinished run; what is not a record's own stays, and the folder with it."""
    if not folder.is_dir():
        return
    own = sorted(path.name for path in folder.iterdir() if _OWN.fullmatch(path.name))
    _remove(folder, sorted(own, key=CONFIGURATION.__ne__))
    _remove(folder, leftovers(folder))
    with contextlib.suppress(OSError):
        folder.rmdir()


def leftovers(folder: Path) -> list[str]:
    """Files that a killed run was about to write."""
    named = ((path.name, unfinished_name(path.name)) for path in folder.iterdir())
    return [name for name, target in named if target is not None and _OWN.fullmatch(target)]


def _remove(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)


def _numbered(trees: dict[str, Any]) -> dict[str, np.ndarray]:
    """Leaves of each named pytree as `name:0`, `name:1`, ..."""
    return {f"{n}:{i}": _stored(leaf) for n, tree in trees.items() for i, leaf in enumerate(jax.tree.leaves(tree))}


def _restored(arrays: dict[str, np.ndarray], templates: dict[str, Any], *, rows: bool = False) -> dict[str, Any]:
    """The pytrees of which `_numbered` made these arrays; rows: they have one axis more than the templates, in front.

    ValueError where shape or dtype are not those of the template.
    """

    def one(name: str, template: Any) -> Any:
        leaves, structure = jax.tree.flatten(template)
        found = [_read_as(leaf, arrays[f"{name}:{i}"]) for i, leaf in enumerate(leaves)]
        for array, leaf in zip(found, leaves, strict=True):
            if array.dtype != leaf.dtype or array.ndim != rows + len(leaf.shape) or array.shape[rows:] != leaf.shape:
                raise ValueError(
                    f"{name} has {array.dtype}{list(array.shape)}, where {leaf.dtype}{list(leaf.shape)} belongs"
                )
        return jax.tree.unflatten(structure, found)

    return {name: one(name, template) for name, template in templates.items()}


def _stored(leaf: Any) -> np.ndarray:
    """An array that a file can hold: a typed key by its data."""
    return np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)


def _read_as(template: Any, array: np.ndarray) -> Any:
    """What a file holds of a typed key, or of a dtype that numpy does not know, such as bfloat16."""
    if _is_key(template):
        return jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(template))
    unknown = array.dtype.kind == "V" and array.dtype.itemsize == template.dtype.itemsize
    return array.view(template.dtype) if unknown else array


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(leaf), jax.dtypes.prng_key)
