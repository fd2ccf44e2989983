"""Draws the answers: DET curves, calibration, and when decisions come."""

from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from bargein_model.evaluation import metrics
from bargein_model.evaluation.items import INTERRUPTIONS, OTHERS, Condition, Group
from bargein_model.evaluation.metrics import Array
from bargein_model.evaluation.sheet import EVER, Sheet
from bargein_model.evaluation.tables import COMPARED, SHIPPED, TRUE_ONSET

GRID = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)
TIMES_MS: tuple[float, ...] = (300, 500, 1000, EVER)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444")
LONGEST_MS = 1500


def draw(sheet: Sheet, folder: Path, rules: Sequence[str]) -> list[Path]:
    """Writes `det.png`, `calibration.png` and `detection_time.png`; mixed conditions only."""
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    mixed = sheet.under(Condition.MIXED)
    plots = {"det": _det, "calibration": _calibration, "detection_time": _detection_time}
    paths: list[Path] = []
    for name, plot in plots.items():
        figure, axes = plt.subplots(
            1, 2 if name == "detection_time" else 1,
            figsize=(12.5 if name == "detection_time" else 7, 5.6), layout="constrained",
            squeeze=False,
        )  # fmt: skip
        plot(list(axes[0]), mixed, rules)
        paths.append(folder / f"{name}.png")
        figure.savefig(paths[-1], dpi=110)
        plt.close(figure)
    return paths


def _det(axes: list[Axes], sheet: Sheet, rules: Sequence[str]) -> None:
    """Misses against false alarms over all thresholds, on normal-deviate axes; rules as points."""
    (ax,) = axes
    weights = sheet.weights()
    for colour, limit_ms in zip(COLOURS, TIMES_MS, strict=False):
        kept = ~sheet.positive | metrics.sounds_long_enough(sheet.sounding_ms, limit_ms)
        curve = metrics.error_curve(
            sheet.evidence(limit_ms)[kept], sheet.positive[kept], weights[kept]
        )
        alarms, misses = map(_deviates, curve)
        label = "at the end" if np.isinf(limit_ms) else f"within {limit_ms:g} ms"
        ax.step(alarms, misses, where="post", color=colour, label=label, lw=1.8)
    for marker, rule in zip("osD^vP", rules, strict=False):
        name = rule.removesuffix(TRUE_ONSET)
        ax.plot(*_point(sheet, rule), marker, color="#777777", ms=7, label=name, ls="")
    ax.plot(*_point(sheet, SHIPPED), "*", color="black", ms=15, label="Bargein as shipped", ls="")
    _deviate_axes(ax)
    ax.set(title="Misses against false alarms, every threshold (mixed conditions)")
    ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))


def _point(sheet: Sheet, system: str) -> tuple[float, float]:
    place = _deviates(np.array([sheet.false_alarms(system), 1 - sheet.found(system)]))
    return float(place[0]), float(place[1])


def _deviates(shares: Array) -> Array:
    return np.array([NormalDist().inv_cdf(share) for share in np.clip(shares, 1e-4, 1 - 1e-4)])


def _deviate_axes(ax: Axes) -> None:
    ticks = list(map(float, _deviates(np.array(GRID))))
    labels = [f"{100 * value:g}" for value in GRID]
    ax.set_xticks(ticks, labels)
    ax.set_yticks(ticks, labels)
    ax.set(xlim=(ticks[0], ticks[-1]), ylim=(ticks[0], ticks[-1]))
    ax.set(xlabel="false alarms, % of non-interruptions", ylabel="misses, % of interruptions")
    ax.grid(alpha=0.3)


def _calibration(axes: list[Axes], sheet: Sheet, _: Sequence[str]) -> None:
    """What was said against what was so, for the frame at a moment after the onset."""
    (ax,) = axes
    prior = np.where(sheet.positive, metrics.PRIOR, 1 - metrics.PRIOR)
    for colour, moment_ms in zip(COLOURS, (300, 500, 1000), strict=False):
        said = _said_at(sheet, moment_ms)
        known = ~np.isnan(said)
        weights = (sheet.weights() * prior)[known]
        mean, true, mass = metrics.reliability(said[known], sheet.positive[known], weights)
        error = metrics.calibration_error(said[known], sheet.positive[known], weights)
        label = f"{moment_ms} ms after the onset (mean gap {error:.3f})"
        ax.plot(mean, true, "-", color=colour, label=label)
        ax.scatter(mean, true, s=15 + 400 * mass, color=colour, alpha=0.6)
    ax.plot([0, 1], [0, 1], "--", color="#999999", label="perfect")
    ax.set(
        title="Calibration at 47 % interruptions (mixed conditions)",
        xlabel="probability of an interruption, as said",
        ylabel="share of interruptions, as it was",
    )
    ax.legend(fontsize=8, loc="upper left")
    ax.grid(alpha=0.3)


def _said_at(sheet: Sheet, moment_ms: float) -> Array:
    place = int(moment_ms // 25) - 1
    return np.array([t.frames[place] if place < len(t.frames) else np.nan for t in sheet.trials])


def _detection_time(axes: list[Axes], sheet: Sheet, _: Sequence[str]) -> None:
    """The share called an interruption as time goes by."""
    for ax, groups, title in (
        (axes[0], INTERRUPTIONS, "Interruptions found"),
        (axes[1], OTHERS, "False alarms"),
    ):
        for colour, group in zip(COLOURS, groups, strict=False):
            part = sheet.of(group)
            _rise(ax, part, SHIPPED, group, colour, "-")
            if group in {Group.LONG, Group.SHORT, Group.BACKCHANNEL}:
                _rise(ax, part, COMPARED[0], group, colour, ":")
        ax.set(title=f"{title} (mixed conditions; dotted: {COMPARED[0]})")
        ax.set(xlabel="ms from the onset", ylabel="% called an interruption", xlim=(0, LONGEST_MS))
        ax.grid(alpha=0.3)
    axes[0].set_ylim(0, 101)
    axes[0].legend(fontsize=9, loc="lower right")
    axes[1].set_ylim(bottom=0)
    axes[1].legend(fontsize=9, loc="upper left")


def _rise(ax: Axes, part: Sheet, system: str, group: Group, colour: str, style: str) -> None:
    if not len(part):
        return
    times = np.arange(0, LONGEST_MS + 1, 25)
    heard = part.heard_ms(system)
    early = heard <= 0 if group.interrupts else np.zeros(len(part), bool)
    share = [100 * float(np.mean((heard <= time) & ~early)) for time in times]
    label = group.title.removeprefix("interruption: ") if style == "-" else None
    ax.step(times, share, style, where="post", color=colour, label=label, lw=1.8)
