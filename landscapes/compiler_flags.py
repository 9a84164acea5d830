"""Flags of XLA for CPUs, with which what runs for seconds is compiled in less time."""

import os
from importlib import metadata, util

# Versions that do not know a flag end the process, so only one that was tried is asked.
KNOWN_TO = 0, 10
# Modules that are not split among threads take a tenth less of their time; so do programs at level 1, which run as fast
# as at the default, 3. The level is that of an accelerator's programs too, which nobody has timed.
ALWAYS = {"xla_cpu_parallel_codegen_split_count": "1"}
WITHOUT_ACCELERATORS = {"xla_backend_optimization_level": "1"}
# A third less time, for programs that run a sixth slower.
QUICKLY = {"xla_cpu_use_fusion_emitters": "false"}


def set_compiler_flags(*, quickly: bool = False) -> None:
    """Add them to XLA_FLAGS, which jax reads when it first compiles; what stands there is kept.

    quickly: for programs that will not run for long.
    """
    given = os.environ.get("XLA_FLAGS", "").strip()
    # The name of a file with flags, which is no place for more.
    named = given and not given.startswith("-")
    if named or tuple(map(int, metadata.version("jaxlib").split(".")[:2])) != KNOWN_TO:
        return
    wanted = ALWAYS | ({} if util.find_spec("jax_plugins") else WITHOUT_ACCELERATORS) | (QUICKLY if quickly else {})
    added = [f"--{name}={value}" for name, value in wanted.items() if name not in given]
    os.environ["XLA_FLAGS"] = " ".join([*filter(None, [given]), *added])
