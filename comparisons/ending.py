"""How the flows of a comparison end that its method has ended."""

import dataclasses

from discrete import Status, Trajectory
from discrete.running.ensemble import common_status
from discrete.running.status import method_ended


def ended_with(flow: Trajectory, discrete: Trajectory) -> Trajectory:
    """A flow, or those members of it, that still went on when its method stopped, with the reason."""

    def ended(own: Status, other: Status) -> Status:
        # A member whose method has failed was left where it then was, whatever became of the others.
        failed = other.kind not in ("completed", "interrupted")
        went_on = own.kind == "completed" or (own.kind == "interrupted" and failed)
        return method_ended(other) if went_on and other.kind != "completed" else own

    if flow.member_statuses is None or discrete.member_statuses is None:
        return dataclasses.replace(flow, status=ended(flow.status, discrete.status))
    pairs = zip(flow.member_statuses, discrete.member_statuses, strict=True)
    own = tuple(ended(one, other) for one, other in pairs)
    return dataclasses.replace(flow, status=common_status(own), member_statuses=own)
