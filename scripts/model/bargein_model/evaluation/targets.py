"""What was set out to be reached, and whether it was."""

from collections.abc import Callable
from dataclasses import dataclass

from bargein_model.evaluation.items import Condition, Group
from bargein_model.evaluation.sheet import Sheet

TRAINED_LANGUAGES = frozenset(
    {"en", "zh", "es", "ja", "pt-br", "hi", "it", "fr"} | {"de", "nl", "ru", "sv"}
)
"""Languages of which the training corpus holds more than a few clips."""


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that is to be at least (or at most) so much."""

    name: str
    bound: float
    at_least: bool
    value: Callable[[Sheet], float]
    """From the whole exam; NaN where the exam does not hold what it takes."""
    unit: str = ""

    def missed_by(self, value: float) -> float:
        """How far `value` is on the wrong side; 0 or less: met."""
        return self.bound - value if self.at_least else value - self.bound


def targets(system: str, extra: Sheet | None = None) -> list[Target]:
    """The project's targets for a system; durations in ms, everything else shares of 1.

    Args:
        system: whose answers to look at.
        extra: the answers to the extra exam, which has voices in further languages.
    """

    def mixed(figure: Callable[[Sheet], float]) -> Callable[[Sheet], float]:
        return lambda sheet: figure(sheet.under(Condition.MIXED))

    def held(group: Group) -> Callable[[Sheet], float]:
        return mixed(lambda s: s.of(group).right(system).value)

    holds = {
        Group.BACKCHANNEL: 0.92,
        Group.VOCAL: 0.92,
        Group.NOISE: 0.98,
        Group.MUSIC: 0.97,
        Group.BABBLE: 0.90,
        Group.ECHO: 0.97,
    }
    return [
        Target("yield", 0.97, True, mixed(lambda s: s.found(system))),
        Target("hold", 0.93, True, mixed(lambda s: 1 - s.false_alarms(system))),
        Target("found within 500 ms", 0.93, True, mixed(lambda s: s.found(system, 500))),
        Target("false alarms by 500 ms", 0.06, False, mixed(lambda s: s.false_alarms(system, 500))),
        Target("precision at 500 ms", 0.93, True, mixed(lambda s: s.precision(system, 500))),
        Target("median audio", 300, False, mixed(lambda s: s.to_decide_ms(system, 0.5)), "ms"),
        Target("p90 audio", 700, False, mixed(lambda s: s.to_decide_ms(system, 0.9)), "ms"),
        *(Target(f"hold: {g.title}", bound, True, held(g)) for g, bound in holds.items()),
        _below_clean(system, Condition.TELEPHONE),
        _below_clean(system, Condition.NOISY),
        Target(
            "languages without training speech below English",
            0.05,
            False,
            lambda _: float("nan") if extra is None else _below_english(extra, system),
        ),
    ]


def balance(sheet: Sheet, system: str) -> float:
    """The mean of yield and hold."""
    return (sheet.found(system) + 1 - sheet.false_alarms(system)) / 2


def _below_clean(system: str, condition: Condition) -> Target:
    def drop(sheet: Sheet) -> float:
        clean, other = sheet.under(Condition.CLEAN), sheet.under(condition)
        return balance(clean, system) - balance(other, system)

    return Target(f"{condition.value} below clean", 0.04, False, drop)


def _below_english(extra: Sheet, system: str) -> float:
    """English, less languages without training speech, by engines that speak both."""
    unheard = extra.where(lambda f: bool(f.language) and f.language not in TRAINED_LANGUAGES)
    english = extra.where(lambda f: f.language == "en")
    engines = {trial.facts.source for trial in english.trials}
    engines &= {trial.facts.source for trial in unheard.trials}
    english, unheard = (part.where(lambda f: f.source in engines) for part in (english, unheard))
    return balance(english, system) - balance(unheard, system)
