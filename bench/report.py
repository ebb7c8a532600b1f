"""The report of a run."""

from .goals import outcomes
from .readme import table
from .settings import Figures


def as_text(figures: Figures) -> str:
    """For the terminal: the table of the race, goals and checks with pass or fail, and what could not be measured."""
    lines = [table(figures["race"])] if figures["race"] else []
    for outcome in outcomes(figures["race"]):
        reached = f"{outcome.best.ratio:.2f}x of {outcome.best.peer}" if outcome.best else "not measured"
        lines.append(
            f"{_verdict(outcome.met)}  {outcome.workload}: {reached}, goal {outcome.goal:g}x {outcome.library}"
        )
    for check in checks_of(figures):
        lines.append(f"{_verdict(check['met'])}  {check['name']}: {check['reached']}; goal: {check['goal']}")
    lines += [f"failed {where}, {who}: {why}" for where, who, why in figures["failures"]]
    return "\n".join(lines)


def _verdict(met: bool) -> str:
    return "PASS" if met else "FAIL"


def checks_of(figures: Figures) -> list[dict]:
    """All checks, the accuracy included."""
    checks = list(figures.get("checks", []))
    if run := figures.get("accuracy"):
        reached = run["accuracy"][-1]
        checks.append(
            {"name": f"test accuracy on {run['data']}: {run['title']}", "goal": f"at least {run['goal']:.0%}",
             "reached": f"{reached:.2%} after {len(run['accuracy'])} epochs in {run['seconds']:.1f} s",
             "met": run["data"] == "MNIST" and reached >= run["goal"]}
        )  # fmt: skip
    return checks


def as_html(figures: Figures) -> str:
    return "<pre>" + as_text(figures) + "</pre>"
