"""Where numbers come from: versions, platform, precision, and the state of the source tree."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path

import jax

PACKAGES = ("jax", "jaxlib", "diffrax", "equinox", "optax", "numpy", "scipy", "xarray")


def provenance() -> dict[str, str]:
    """Versions of what computed, the device kind, the default precision, and the git revision of odescent."""
    return {name: _version(name) for name in ("odescent", *PACKAGES)} | {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": jax.devices()[0].device_kind,
        "precision": "float64" if jax.config.jax_enable_x64 else "float32",  # pyright: ignore[reportAttributeAccessIssue]
        "git_revision": git_revision(),
    }


def git_revision() -> str:
    """The commit of the source tree, with `-dirty` where it has changes; `unknown` outside a checkout."""
    here = Path(__file__).resolve().parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12", "--match="]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"


def _version(package: str) -> str:
    """Of what is installed; `unknown` for a source tree that is only on the path."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
