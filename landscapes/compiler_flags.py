"""Flags of XLA for CPUs, with which what runs for seconds is compiled in less time."""

import os
from importlib import metadata, util

# Later versions, which end a process that names a flag they do not know, are not asked.
KNOWN_BELOW = (0, 11)
# Modules that are not split among threads take a tenth less of their time; so do programs at level 1, which run as fast
# as at the default, 3.
ALWAYS = {"xla_cpu_parallel_codegen_split_count": "1"}
WITHOUT_ACCELERATORS = {"xla_backend_optimization_level": "1"}
# A third less time, for programs that run a sixth slower.
QUICKLY = {"xla_cpu_use_fusion_emitters": "false"}


def set_compiler_flags(*, quickly: bool = False) -> None:
    """Add them to XLA_FLAGS, which jax reads when it first compiles; what stands there is kept.

    quickly: for programs that will not run for long.
    """
    if tuple(map(int, metadata.version("jaxlib").split(".")[:2])) >= KNOWN_BELOW:
        return
    given = os.environ.get("XLA_FLAGS", "")
    wanted = ALWAYS | ({} if util.find_spec("jax_plugins") else WITHOUT_ACCELERATORS) | (QUICKLY if quickly else {})
    added = [f"--{name}={value}" for name, value in wanted.items() if name not in given]
    os.environ["XLA_FLAGS"] = " ".join([*filter(None, [given]), *added])
