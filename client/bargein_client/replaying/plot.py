"""A session drawn on one time line: who sounded, when they overlapped, what was decided."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from bargein_protocol.messages import Interruption
from bargein_protocol.recording import SAMPLE_RATE, Tape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bargein_client.replaying.timeline import Timeline, headline

USER, AGENT = "#2b6cb0", "#b7791f"
YES, NO = "#c53030", "#2f855a"
SHADE = "#cbd5e0"
INK = "#2d3748"
COLUMNS = 2400
"""Points of a drawn waveform: more than a page has pixels."""


def plot(tape: Tape, story: Timeline, path: Path) -> None:
    """Draw a session into a file; the suffix says which kind (.png, .svg, .pdf).

    Raises:
        OSError: the file cannot be written.
        ValueError: a suffix that stands for no kind of picture.
    """
    width = min(24.0, max(9.0, 1.5 * story.duration_s))
    figure = Figure(figsize=(width, 5.4), dpi=130, layout="constrained")
    rows = figure.subplots(4, 1, sharex=True, height_ratios=(0.9, 3, 2, 2.2))
    labels, user, agent, probability = rows
    figure.suptitle(f"{tape.name}   –   {story.model}", x=0.01, ha="left", fontsize=11, color=INK)
    for axes in (user, agent, probability):
        _prepare(axes, story)
    _draw_track(user, tape.user, USER, "user")
    for begin, _ in story.overlaps:
        user.annotate("overlap", (begin, 0), xycoords=("data", "axes fraction"), xytext=(3, 3),
                      textcoords="offset points", fontsize=8, color=INK, alpha=0.7)  # fmt: skip
    _draw_agent(agent, tape, story)
    _draw_probability(probability, story)
    _draw_verdicts(rows, story)
    probability.set_xlabel("seconds on the audio clock", fontsize=9, color=INK)
    labels.set_axis_off()
    figure.savefig(path)


def _prepare(axes: Axes, story: Timeline) -> None:
    axes.set_xlim(0, max(story.duration_s, 0.1))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(SHADE)
    axes.tick_params(length=0, labelsize=8, colors=INK)
    for begin, end in story.overlaps:
        axes.axvspan(begin, end, color=SHADE, alpha=0.45, linewidth=0)


def _draw_track(axes: Axes, pcm: bytes, color: str, label: str) -> None:
    samples = np.frombuffer(pcm, "<i2") / 32768
    step = max(1, len(samples) // COLUMNS)
    columns = samples[: len(samples) // step * step].reshape(-1, step)
    moments = (np.arange(len(columns)) + 0.5) * step / SAMPLE_RATE
    if len(columns):
        low, high = columns.min(axis=1), columns.max(axis=1)
        axes.fill_between(moments, low, high, color=color, linewidth=0.4)
        loudest = max(float(np.abs(samples).max()), 0.02)
        axes.set_ylim(-1.1 * loudest, 1.1 * loudest)
    axes.set_yticks([])
    axes.set_ylabel(
        label, fontsize=10, color=color, weight="bold", rotation=0, ha="right", va="center"
    )


def _draw_agent(axes: Axes, tape: Tape, story: Timeline) -> None:
    _draw_track(axes, tape.agent or b"", AGENT, "agent")
    for begin, end in story.agent:
        axes.axvspan(begin, end, color=AGENT, alpha=0.18, linewidth=0)
        axes.axvline(begin, color=AGENT, linewidth=1)
        axes.axvline(end, color=AGENT, linewidth=1)
        if end - begin > 0.05 * story.duration_s:
            axes.annotate(
                "speaking", (begin, 1), xycoords=("data", "axes fraction"), xytext=(4, -4),
                textcoords="offset points", va="top", fontsize=8, color=AGENT,
            )  # fmt: skip


def _draw_probability(axes: Axes, story: Timeline) -> None:
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.5, 1])
    axes.grid(axis="y", color=SHADE, linewidth=0.6)
    axes.set_ylabel(
        "interruption\nprobability", fontsize=9, color=INK, rotation=0, ha="right", va="center"
    )
    moments, values = story.thresholds
    axes.step([*moments, story.duration_s], [*values, values[-1]], where="post", color=YES,
              linewidth=1, linestyle=(0, (5, 3)))  # fmt: skip
    axes.annotate(
        f"threshold {values[-1]:.2f}", (1, values[-1]), xycoords=("axes fraction", "data"),
        xytext=(0, 3), textcoords="offset points", ha="right", fontsize=8, color=YES,
    )  # fmt: skip
    for times, curve in story.probabilities:
        axes.plot(times, curve, color=INK, linewidth=1.4)
        axes.fill_between(times, 0, curve, color=INK, alpha=0.12, linewidth=0)


def _draw_verdicts(rows: Sequence[Axes], story: Timeline) -> None:
    labels, *tracks = rows
    labels.set_ylim(0, 1)
    for number, verdict in enumerate(story.verdicts):
        at_s = verdict.at_ms / 1000
        color = YES if isinstance(verdict, Interruption) else NO
        for axes in tracks:
            axes.axvline(at_s, color=color, linewidth=1.4)
        low = number % 2
        labels.plot([at_s, at_s], [-0.2, 0.3 if low else 0.8], color=color, linewidth=1.4,
                    clip_on=False)  # fmt: skip
        right = at_s > 0.75 * story.duration_s
        labels.annotate(
            f"{headline(verdict)}  {verdict.at_ms - verdict.onset_ms:+.0f} ms",
            (at_s, 0.25 if low else 0.75), xytext=(4 if right else -4, 0),
            textcoords="offset points", va="center", ha="right" if right else "left", fontsize=9,
            color="white", weight="bold",
            bbox={"boxstyle": "round,pad=0.3", "fc": color, "ec": color},
        )  # fmt: skip
