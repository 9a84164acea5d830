"""A run on disk while it goes on: finished blocks, and the state from which it continues.

Layout of the folder: `configuration.json`, `block-00000.npz`, ... and `state.npz`. Each file is written under another
name and then renamed, the state after its block, so that a killed run loses the block in hand and nothing else.
"""

import json
import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from discrete.running.march import Marched

STATE = "state.npz"
CONFIGURATION = "configuration.json"


class Record:
    """Writes the progress of a run, and reads it back. The configuration must be the same on both occasions."""

    def __init__(self, folder: str | Path, configuration: dict[str, Any], *, resume: bool):
        self.folder = Path(folder)
        self.configuration = configuration
        if resume:
            self._check_configuration()
        elif (self.folder / STATE).exists():
            raise ValueError(f"`folder` {self.folder} holds an unfinished run; resume it or choose another folder.")
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / CONFIGURATION, json.dumps(configuration, indent=1).encode())

    def write(self, marched: Marched) -> None:
        """Save the newest block, then the state after it."""
        number = len(marched.parts) - 1
        self._savez(f"block-{number:05d}.npz", _numbered(marched.parts[-1]))
        counts = {"done": marched.done, "blocks": number + 1}
        counts |= {f"samples/{name}": count for name, count in marched.samples.items()}
        counts |= {f"seconds/{name}": seconds for name, seconds in marched.seconds.items()}
        self._savez(STATE, _numbered(marched.carries) | {key: np.asarray(value) for key, value in counts.items()})

    def read(self, fresh: Marched, part_shapes: dict[str, Any]) -> Marched:
        """How far the run had come. fresh: the same run at its start; part_shapes: the structure of a block."""
        if not (self.folder / STATE).exists():
            return fresh
        names, state = list(fresh.carries), self._load(STATE)
        blocks = [self._load(f"block-{i:05d}.npz") for i in range(int(state["blocks"]))]
        return Marched(
            carries=jax.tree.map(jnp.asarray, _restored(state, fresh.carries)),
            samples={name: int(state[f"samples/{name}"]) for name in names},
            seconds={name: float(state[f"seconds/{name}"]) for name in names},
            parts=[_restored(block, {n: part_shapes[n] for n in names if f"{n}:0" in block}) for block in blocks],
            done=int(state["done"]),
        )

    def _check_configuration(self) -> None:
        path = self.folder / CONFIGURATION
        if not path.exists():
            raise ValueError(
                f"`resume` needs an unfinished run, and {self.folder} holds none; start it without resume."
            )
        before = json.loads(path.read_text())
        now = json.loads(json.dumps(self.configuration))
        for key in [*now, *before]:
            if before.get(key) != now.get(key):
                raise ValueError(
                    f"`resume` must repeat the run in {self.folder}: its {key} is {before.get(key)!r}, "
                    f"now it is {now.get(key)!r}."
                )

    def _savez(self, name: str, arrays: dict[str, np.ndarray]) -> None:
        temporary = self.folder / f".{name}.part"
        with temporary.open("wb") as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.folder / name)

    def _load(self, name: str) -> dict[str, np.ndarray]:
        with np.load(self.folder / name) as file:
            return dict(file)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under another name, then rename it: readers see all of it or none."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def _numbered(trees: dict[str, Any]) -> dict[str, np.ndarray]:
    """Leaves of each named pytree as `name:0`, `name:1`, ..."""
    return {f"{n}:{i}": np.asarray(leaf) for n, tree in trees.items() for i, leaf in enumerate(jax.tree.leaves(tree))}


def _restored(arrays: dict[str, np.ndarray], templates: dict[str, Any]) -> dict[str, Any]:
    def one(name: str, template: Any) -> Any:
        leaves, structure = jax.tree.flatten(template)
        return jax.tree.unflatten(structure, [arrays[f"{name}:{i}"] for i in range(len(leaves))])

    return {name: one(name, template) for name, template in templates.items()}
