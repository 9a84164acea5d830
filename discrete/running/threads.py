"""The threads that compiled code runs in: one that Ctrl-C does not wait for, several for sides that move at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from queue import Queue
from threading import Thread
from typing import Any

WORKER = "odescent block"

_ANSWERS_AT_ONCE = ContextVar("answers_at_once", default=False)


@contextmanager
def prompt_interrupts() -> Iterator[None]:
    """Within, Ctrl-C is answered at once, also while a program compiles or a block is on.

    Compiled code runs in a thread of its own, which then is left alone: it ends with its block, for which Python waits
    before it ends where several sides move at once.
    Settings that JAX keeps for each thread, such as `jax.default_device` used as a context, do not reach it.
    """
    before = _ANSWERS_AT_ONCE.set(True)
    try:
        yield
    finally:
        _ANSWERS_AT_ONCE.reset(before)


def interruptible(work: Callable[[], Any]) -> Any:
    """What the work is worth; within `prompt_interrupts` done by a thread of its own."""
    if not _ANSWERS_AT_ONCE.get():
        return work()
    ended: Queue[tuple[Any, BaseException | None]] = Queue()

    def worked() -> None:
        try:
            ended.put((work(), None))
        except BaseException as error:
            ended.put((None, error))

    Thread(target=copy_context().run, args=(worked,), daemon=True, name=WORKER).start()
    found, error = ended.get()
    if error is not None:
        raise error
    return found


def at_once(works: dict[str, Callable[[], Any]], workers: int) -> dict[str, Any]:
    """What each of some pieces of work is worth, by name; done by so many threads, in the order given.

    As many programs run at once as the CPU backend has threads. Settings that JAX keeps for each thread do not reach
    the workers.
    """
    if workers < 2:
        return {name: work() for name, work in works.items()}
    with ThreadPoolExecutor(workers, thread_name_prefix=WORKER) as pool:
        waiting = {name: pool.submit(copy_context().run, work) for name, work in works.items()}
        try:
            return {name: one.result() for name, one in waiting.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
