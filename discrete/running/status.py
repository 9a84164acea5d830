"""How a run ended: a kind to ask for, and words to read."""

import re
from typing import Any, Literal

Kind = Literal["completed", "diverged", "interrupted", "stopped"]
FORMER = {
    r"completed": "completed",
    r"diverged at step (\d+)": "diverged",
    r"stopped: interrupted.* (\d+)": "interrupted",
}


class Status(str):
    """The words of a status, equal to the text that they are, with what they mean.

    kind: "completed"; "diverged"; "interrupted" by Ctrl-C; "stopped", where a solver or a flow gave up, or the method.
    step: the step of the method at which that was, None for a run that was completed. Of a flow it may be a fraction.
    reason: why it stopped.
    """

    kind: Kind
    step: float | int | None
    reason: str

    def __new__(cls, kind: Kind, step: float | int | None = None, reason: str = "") -> "Status":
        words = {
            "completed": "completed",
            "diverged": f"diverged at step {step}",
            "interrupted": f"stopped: interrupted after step {step}",
            "stopped": f"stopped: {reason}",
        }
        made = super().__new__(cls, words[kind])
        made.kind, made.step, made.reason = kind, step, reason
        return made

    def __getnewargs__(self) -> Any:
        return self.kind, self.step, self.reason

    def described(self) -> dict[str, Any]:
        """Kind, step and reason as plain data."""
        return {"kind": self.kind, "step": self.step, "reason": self.reason}


COMPLETED = Status("completed")


def status_in_words(text: str) -> Status:
    """The status that an earlier version wrote down as words alone."""
    for pattern, kind in FORMER.items():
        if found := re.fullmatch(pattern, text):
            return Status(kind, *map(int, found.groups()))  # type: ignore[arg-type]
    return Status("stopped", None, text.removeprefix("stopped: "))


def method_ended(status: Status) -> Status:
    """Of a flow that still went on when its method ended."""
    words = {"diverged": str(status), "interrupted": f"interrupted after step {status.step}"}.get(
        status.kind, status.reason
    )
    return Status("stopped", status.step, f"the method {words}")
