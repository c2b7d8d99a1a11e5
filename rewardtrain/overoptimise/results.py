"""What the arms of all seeds say together."""

from statistics import median
from typing import Any


def gains(arm: dict[str, Any]) -> dict[int, float]:
    """By step, the mean true score less that of the start."""
    means = {int(step): figure["mean"] for step, figure in arm["truth"].items()}
    return {step: mean - means[0] for step, mean in means.items()}


def figures_of(result: dict[str, Any]) -> dict[str, Any]:
    """One seed: each arm's share of the best true gain of any unguarded checkpoint, and of the run
    on the true score the share of its best gain that it had when the guard would have stopped it
    (1 where it would not have)."""
    arms = result["arms"]
    unguarded = gains(arms["unguarded"])
    best = max(unguarded.values())

    def share(arm: str) -> float:
        found = gains(arms[arm])
        return found[max(found)] / best

    true, stop = gains(arms["true"]), arms["true"]["guard"]["stop"]
    reached = [gain for step, gain in true.items() if stop is None or step < stop["step"]]
    return {
        "setting": result["setting"],
        "seed": result["seed"],
        "best_gain": best,
        "best_step": max(unguarded, key=lambda step: unguarded[step]),
        "unguarded": share("unguarded"),
        "guarded": share("guarded"),
        "kl": share("kl"),
        "true_before_stop": max(reached) / max(true.values()),
        "stopped_at": (arms["guarded"]["guard"]["stop"] or {}).get("step"),
        "kept": arms["guarded"]["guard"]["kept"],
        "why": (arms["guarded"]["guard"]["stop"] or {}).get("signals", []),
        "seconds": {arm: arms[arm]["seconds"] for arm in arms},
    }


def together(seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """Median and worst over the seeds of a setting, against the goals."""
    guarded = [seed["guarded"] for seed in seeds]
    true = [seed["true_before_stop"] for seed in seeds]
    return {
        "seeds": len(seeds),
        "guarded": {"median": median(guarded), "worst": min(guarded)},
        "unguarded": {"median": median(s["unguarded"] for s in seeds)},
        "kl": {"median": median(s["kl"] for s in seeds)},
        "true_before_stop": {"median": median(true), "worst": min(true)},
        "meets": median(guarded) >= 0.95 and min(guarded) >= 0.85 and min(true) >= 0.95,
    }


def table(seeds: list[dict[str, Any]]) -> list[str]:
    heads = ("setting", "seed", "unguarded", "guarded", "kl", "true", "stopped", "kept", "best")
    rows = [
        (
            seed["setting"],
            seed["seed"],
            *(f"{seed[name]:.0%}" for name in ("unguarded", "guarded", "kl", "true_before_stop")),
            seed["stopped_at"] or "-",
            seed["kept"],
            seed["best_step"],
        )
        for seed in seeds
    ]
    return ["  ".join(f"{cell!s:>9}" for cell in row) for row in (heads, *rows)]
