"""A comparison as a table for a person at a terminal."""

from rich.table import Table

from ..findings import Findings


def table(comparison: Findings) -> Table:
    """One column per side, one row per quantity; 80 characters hold the method and four flows."""
    summary = comparison.summary()
    title = f"{comparison.problem}: {summary['steps']} steps of {described(comparison.method)}"
    made = Table(title=title, title_justify="left", caption=stability(comparison), caption_justify="left")
    made.add_column("")
    made.add_column("method", justify="right")
    for name in comparison.flows:
        made.add_column(name, justify="right")
    for label, method, *flows in _rows(comparison, summary):
        if any((method, *flows)):
            made.add_row(label, method, *flows)
    return made


def _rows(comparison: Findings, summary: dict) -> list[tuple[str, ...]]:
    method, flows, cost = summary["discrete"], list(summary["flows"].values()), summary["cost"]
    costs = [cost["discrete"], *cost["flows"].values()]

    def both(label: str, name: str, end: str) -> tuple[str, ...]:
        return (label, *(_number(side.get(name, {}).get(end)) for side in (method, *flows)))

    def apart(label: str, name: str, end: str) -> tuple[str, ...]:
        return (label, "", *(_number(flow.get(name, {}).get(end)) for flow in flows))

    def spent(label: str, name: str) -> tuple[str, ...]:
        return (label, *(f"{side[name]:,}" if side[name] is not None else "?" for side in costs))

    return [
        ("claimed order", "", *("" if flow["order"] is None else str(flow["order"]) for flow in flows)),
        ("status", comparison.status, *(flow["status"] for flow in flows)),
        both("loss, final", "loss", "final"),
        both("sharpness, final", "sharpness", "final"),
        both("sharpness, max", "sharpness", "max"),
        both("effective sharpness, final", "effective_sharpness", "final"),
        both("effective sharpness, max", "effective_sharpness", "max"),
        apart("distance, at threshold", "distance", "at_threshold"),
        apart("distance, final", "distance", "final"),
        ("solver error / distance", "", *(_number(flow.get("solver_error"), 1) for flow in flows)),
        apart("relative distance, final", "relative_distance", "final"),
        apart("function distance, final", "function_distance", "final"),
        spent("gradients", "gradients"),
        spent("Hessian products", "hessian_products"),
        spent("of which measuring", "of_which_measuring"),
        spent("solver steps", "solver_steps"),
        ("seconds", *(f"{side['seconds']:.1f}" for side in costs)),
    ]


def described(method: dict) -> str:
    """Name and hyper-parameters in one phrase."""
    told = [described(value) if isinstance(value, dict) and "name" in value else value for value in method.values()]
    pairs = zip(method, told, strict=True)
    settings = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in pairs if key != "name")
    return f"{method['name']} ({settings})"


def stability(comparison: Findings) -> str:
    """One sentence on where the (effective) sharpness stands against the method's threshold."""
    found = comparison.summary()["stability"]
    if found["threshold"] is None or found["fraction_above"] is None:
        return ""
    effective = "" if found["of"] == "sharpness" else " of the effective sharpness"
    limit = f"stability threshold{effective} {found['threshold']:.6g}"
    first, fraction = found["first_step_above"], found["fraction_above"]
    if first is None:
        return f"{limit}: never exceeded at a sample"
    return f"{limit}: first exceeded at step {first}, and at {fraction:.0%} of the samples"


def _number(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}g}"
