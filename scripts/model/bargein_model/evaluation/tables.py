"""The report as tables of text, to be shown in a terminal, in Markdown or as JSON."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bargein_model.evaluation.items import INTERRUPTIONS, OTHERS, Condition, Facts, Group
from bargein_model.evaluation.metrics import Array
from bargein_model.evaluation.sheet import LIMITS_MS, Figure, Sheet
from bargein_model.evaluation.targets import Target, targets

SHIPPED = "Bargein"
"""The model behind the server's own VAD: the system that users get."""
WIRE = SHIPPED + ", over the wire"
"""The same behind a running server (`--url`)."""
BEGUN = SHIPPED + ", as the agent begins"
"""As if all of an item lay in the start boundary, where the VAD has a say, too."""
TRUE_ONSET = ", true onset"
ORACLE = SHIPPED + TRUE_ONSET
"""The model told where the sound begins, as by a client with a perfect VAD."""
COMPARED = ("Silero 0.5 s", "voiced 0.5 s")
"""The rules that stand beside the model in every table."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the report; every row is as long as the header."""

    title: str
    note: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def headline(sheet: Sheet, systems: Iterable[str], title: str) -> Table:
    """The systems side by side under mixed conditions."""
    mixed = sheet.under(Condition.MIXED)
    return Table(
        f"Mixed conditions: {title}",
        "Per cent. ≤ t: found by then, of the interruptions whose content sounds that long; false "
        "alarms and precision (at 47 % interruptions) by 500 ms; median and p90: audio from the "
        "onset to the decision. 95 % intervals by bootstrap over speakers.",
        [
            "system", "yield", "hold",
            *(f"≤ {limit:g} ms" for limit in LIMITS_MS),
            "false alarms", "precision", "median ms", "p90 ms", "AUC",
        ],
        [_system_row(mixed, system) for system in systems],
    )  # fmt: skip


def _system_row(sheet: Sheet, system: str) -> list[str]:
    def by(figure: Callable[[Array | None], float]) -> str:
        low, high = sheet.interval(figure)
        return _with_interval(Figure(figure(None), low, high))

    return [
        system.removesuffix(TRUE_ONSET),
        by(lambda drawn: sheet.found(system, drawn=drawn)),
        by(lambda drawn: 1 - sheet.false_alarms(system, drawn=drawn)),
        *(percent(sheet.found(system, limit)) for limit in LIMITS_MS),
        by(lambda drawn: sheet.false_alarms(system, 500, drawn)),
        by(lambda drawn: sheet.precision(system, 500, drawn)),
        whole(sheet.to_decide_ms(system, 0.5)),
        whole(sheet.to_decide_ms(system, 0.9)),
        decimals(sheet.auc(system)),
    ]


def by_group(sheet: Sheet, others: Sequence[str]) -> Table:
    """What is called an interruption, and when, per group under mixed conditions."""
    mixed = sheet.under(Condition.MIXED)
    parts = [(group, mixed.of(group)) for group in Group]
    return Table(
        "By class, mixed conditions",
        "Called an interruption within t ms, and found (interruptions) or held (the rest) in the "
        "end; Wilson's 95 % interval, wider where one recording is used several times.",
        ["class", "n", *(f"≤ {limit:g} ms" for limit in LIMITS_MS), "found / held", *others],
        [_group_row(group.title, part, others) for group, part in parts if len(part)],
    )


def by_attribute(
    sheet: Sheet,
    title: str,
    attribute: Callable[[Facts], str],
    groups: Sequence[Group],
    others: Sequence[str] = COMPARED,
) -> Table:
    """The same per source, language or kind, within some groups."""
    parts = sheet.of(*groups).by(attribute)
    return Table(
        title,
        "",
        ["", "n", *(f"≤ {limit:g} ms" for limit in LIMITS_MS), "found / held", *others],
        [_group_row(name or "no words", part, others) for name, part in parts.items()],
    )


def _group_row(name: str, part: Sheet, others: Sequence[str]) -> list[str]:
    interrupts = bool(part.positive.any())
    within = part.found if interrupts else part.false_alarms
    return [
        name,
        str(len(part)),
        *(percent(within(SHIPPED, limit)) for limit in LIMITS_MS),
        _with_interval(part.right(SHIPPED)),
        *(percent(part.right(other).value) for other in others),
    ]


def by_condition(sheet: Sheet, others: Sequence[str]) -> Table:
    """Yield and hold per condition, with those of other systems."""
    parts = [(condition, sheet.under(condition)) for condition in Condition]
    return Table(
        "By condition",
        "Weighted over the classes that the condition has. Early: called an interruption before "
        "the sound began. False alarms: by 500 ms.",
        [
            "condition", "n", "yield", "hold", "early", "found ≤ 500 ms", "false alarms",
            "median ms", "p90 ms", *(f"{other}: yield / hold" for other in others),
        ],
        [_condition_row(condition.value, part, others) for condition, part in parts if len(part)],
    )  # fmt: skip


def _condition_row(name: str, part: Sheet, others: Sequence[str]) -> list[str]:
    return [
        name,
        str(len(part)),
        percent(part.found(SHIPPED)),
        percent(1 - part.false_alarms(SHIPPED)),
        percent(part.early(SHIPPED)),
        percent(part.found(SHIPPED, 500)),
        percent(part.false_alarms(SHIPPED, 500)),
        whole(part.to_decide_ms(SHIPPED, 0.5)),
        whole(part.to_decide_ms(SHIPPED, 0.9)),
        *(
            f"{percent(part.found(other))} / {percent(1 - part.false_alarms(other))}"
            for other in others
        ),
    ]


def against_targets(sheet: Sheet, extra: Sheet | None) -> Table:
    """Every target: bound, figure, and by how much it is missed."""
    rows = [_target_row(target, target.value(sheet)) for target in targets(SHIPPED, extra)]
    return Table("Targets", "Mixed conditions, default threshold.", _TARGET_HEADER, rows)


_TARGET_HEADER = ["figure", "target", "is", "verdict"]


def _target_row(target: Target, value: float) -> list[str]:
    show = whole if target.unit else decimals
    sign = "≥" if target.at_least else "≤"
    missed = target.missed_by(value)
    verdict = "not examined" if np.isnan(value) else f"missed by {show(missed)}"
    return [
        target.name,
        f"{sign} {show(target.bound)} {target.unit}".strip(),
        f"{show(value)} {target.unit}".strip(),
        "met" if missed <= 0 else verdict,
    ]


def report(
    sheet: Sheet, systems: Sequence[str], oracles: Sequence[str], extra: Sheet | None
) -> list[Table]:
    """All tables, the most important ones first."""
    mixed = sheet.under(Condition.MIXED)
    speech = [*INTERRUPTIONS]
    tables = [
        headline(sheet, systems, "the model and the rules as in service"),
        headline(sheet, oracles, "all of them told where the sound begins"),
        against_targets(sheet, extra),
        by_group(sheet, COMPARED),
        by_condition(sheet, COMPARED),
        by_attribute(mixed, "Interruptions by source", _source, speech),
        by_attribute(mixed, "Interruptions by language", _language, speech),
        by_attribute(mixed, "Backchannels by language", _language, [Group.BACKCHANNEL]),
        by_attribute(mixed, "Backchannels by source", _source, [Group.BACKCHANNEL]),
        by_attribute(mixed, "Other sounds by kind", _kind, OTHERS[1:]),
    ]
    if extra is not None:
        tables += [
            by_attribute(extra, "Extra voices: interruptions", _voice, speech),
            by_attribute(extra, "Extra voices: backchannels", _voice, [Group.BACKCHANNEL]),
            by_attribute(extra, "Extra voices: vocal sounds", _kind, [Group.VOCAL]),
        ]
    return [table for table in tables if table.rows]


def percent(share: float) -> str:
    """A share as per cent, one decimal."""
    return "–" if np.isnan(share) else f"{100 * share:.1f}"


def whole(number: float) -> str:
    """A number without decimals."""
    return "–" if not np.isfinite(number) else f"{number:.0f}"


def decimals(number: float) -> str:
    """A number with three decimals."""
    return "–" if np.isnan(number) else f"{number:.3f}"


def _with_interval(figure: Figure) -> str:
    if np.isnan(figure.value):
        return "–"
    return f"{percent(figure.value)} [{100 * figure.low:.0f}–{100 * figure.high:.0f}]"


def _source(facts: Facts) -> str:
    return facts.source


def _language(facts: Facts) -> str:
    return facts.language


def _voice(facts: Facts) -> str:
    return f"{facts.source}, {facts.language}"


def _kind(facts: Facts) -> str:
    return f"{facts.group.name.lower()}: {facts.kind}"
