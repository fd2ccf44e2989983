"""Golden traces: a story told as `ms  input -> output`, one output per line.

    options threshold=0.5                    the options that differ from the defaults
    tracks user agent                        a session with an agent track

       0  model 0.1 noise                    every request is answered at once like this
    1000  agent.started
    1200  sound                              the user makes sound from here …
    1600  silence                            … to here

Inputs are `sound`, `silence`, `agent.sound MS`, `echo MS` (from here on the agent's is found to be
so late), `gap MS`, `tick MS`, the client's markers (`agent.started [AT]`, `overlap.started DURATION
[AT]`, …), `transcript ID START END WORDS`, `interim …`, `update k=v …`, `close`, and the model's
part: `model P [CLASS]` answers each request at once, `model silent` lets requests wait for `answer
P… [CLASS]` (the oldest request; the values are its last frames) or `fail CAUSE`; `answer.newest`
takes the newest.

`run` plays the inputs of such a text and returns the text with the outputs that really came.
`python tests/support/traces.py FILE…` writes them into the files.
"""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from bargein_protocol.options import Options, merge_options
from bargein_server.detection import inputs, outputs
from bargein_server.detection.detector import Detector
from bargein_server.detection.inputs import ClassProbabilities
from bargein_server.detection.tracks import Echo

from support.echo import Found

MS = 16
FRAME_MS = 20
CLASSES = ("backchannel", "vocal", "noise", "echo")


class SoundVad:
    """Hears whatever is not digital silence."""

    frame_samples = 160

    def is_speech(self, frame: bytes) -> bool:
        return any(frame)

    def reset(self) -> None:
        pass


def probabilities(interruption: float, rest: str = "backchannel") -> ClassProbabilities:
    """A frame that leaves what is not interruption to one other class."""
    others = dict.fromkeys(CLASSES, 0.0) | {rest: round(1 - interruption, 4)}
    return ClassProbabilities(interruption=interruption, **others)


def make_detector(*, echo: Echo | None = None, **changes: Any) -> Detector:
    """A detector that hears `sound`; `changes` are options."""
    options = merge_options(Options(threshold=0.5), changes)
    return Detector(options, vad=lambda _: SoundVad(), echo=echo)


class Player:
    """Plays a story's inputs into a detector and writes down what comes out."""

    def __init__(self, *, two_tracks: bool, **changes: Any) -> None:
        self.detector = make_detector(echo=Found(self._echo) if two_tracks else None, **changes)
        self._options = merge_options(Options(threshold=0.5), changes)
        self._echo_delay: int | None = None
        self._sounding = False
        self._standing: tuple[float, str] | None = (0.1, "backchannel")
        self._requests: list[outputs.RequestPrediction] = []

    def play_to(self, ms: int, note: Callable[[int, outputs.Output], None]) -> None:
        """Feed audio in 20 ms frames until the clock shows `ms`."""
        while (now := self.detector.position // MS) < ms:
            length = min(FRAME_MS, ms - now)
            pcm = (b"\x10\x20" if self._sounding else b"\0\0") * length * MS
            for output in self.give(inputs.UserAudio(pcm)):
                note(self.detector.position // MS, output)

    def give(self, value: inputs.Input) -> list[outputs.Output]:
        """One input, and the standing answers to what it asked for."""
        result: list[outputs.Output] = []
        for output in self.detector.handle(value):
            result.append(output)
            if isinstance(output, outputs.RequestPrediction):
                self._requests.append(output)
                if self._standing is not None:
                    result += self._answer(-1, [self._standing[0]], self._standing[1])
        return result

    def command(self, words: list[str]) -> list[outputs.Output]:
        """Carry out one input line."""
        match words:
            case ["sound"] | ["silence"]:
                self._sounding = words[0] == "sound"
                return []
            case ["echo", ms]:
                self._echo_delay = int(ms) * MS
                return []
            case ["model", "silent"]:
                self._standing = None
                return []
            case ["model", p, *rest]:
                self._standing = (float(p), rest[0] if rest else "backchannel")
                return []
            case ["answer" | "answer.newest" as which, *values]:
                other = values.pop() if values[-1] in CLASSES else "backchannel"
                return self._answer(-1 if which.endswith("newest") else 0, _floats(values), other)
            case ["fail", cause]:
                request = self._requests.pop(0)
                return self.give(
                    inputs.PredictionFailed(
                        request.overlap_id,
                        request.epoch,
                        request.at,
                        cause,  # type: ignore[arg-type]
                    )
                )
            case ["update", *changes]:
                self._options = merge_options(self._options, _settings(changes))
                return self.give(inputs.OptionsChanged(self._options))
            case _:
                return self.give(self._input(words))

    def _echo(self, _user: bytes, agent: bytes) -> int | None:
        return self._echo_delay if any(agent) else None

    def _input(self, words: list[str]) -> inputs.Input:
        now = self.detector.position
        match words:
            case ["gap", ms]:
                return inputs.Gap(int(ms) * MS)
            case ["agent.sound", ms]:
                return inputs.AgentAudio(b"\x10\x20" * int(ms) * MS)
            case ["tick", ms]:
                return inputs.Tick(int(ms) * MS)
            case ["agent.started", *at]:
                return inputs.AgentStarted(_at(at, now))
            case ["agent.stopped", *at]:
                return inputs.AgentStopped(_at(at, now))
            case ["overlap.started", duration, *at]:
                return inputs.OverlapStarted(_at(at, now), int(duration) * MS)
            case ["overlap.ended", *at]:
                return inputs.OverlapEnded(_at(at, now))
            case ["transcript" | "interim" as kind, name, start, end, *text]:
                return inputs.Transcript(
                    name, " ".join(text), _place(start), _place(end), kind == "transcript"
                )
            case ["close"]:
                return inputs.SessionEnded()
            case _:
                raise ValueError(f"no input is written like this: {' '.join(words)}")

    def _answer(self, which: int, values: list[float], rest: str) -> list[outputs.Output]:
        request = self._requests.pop(which)
        count = len(request.audio) // 800
        padded = [0.0] * (count - len(values)) + values if len(values) > 1 else values * count
        return self.give(
            inputs.Prediction(
                request.overlap_id,
                request.epoch,
                request.at,
                tuple(probabilities(p, rest) for p in padded),
                12_000,
            )
        )


def run(text: str) -> str:
    """Play a trace; returns it with the outputs that really came."""
    lines: list[str] = []
    remarks: list[str] = []
    changes: dict[str, Any] = {}
    two_tracks = False
    player: Player | None = None

    def note(ms: int, output: outputs.Output) -> None:
        lines.append(f"{ms:>6}  {'':<36} -> {describe(output)}")

    for line in text.splitlines():
        told = line.split("->")[0].rstrip()
        words = shlex.split(told, comments=True)
        if line.strip() and not line.lstrip().startswith("#") and not words[1:]:
            continue  # an output line of its own; it is written anew
        if not words:
            remarks.append(line)
        elif words[0] == "options":
            changes = _settings(words[1:])
            remarks.append(line)
        elif words[0] == "tracks":
            two_tracks = True
            remarks.append(line)
        else:
            if player is None:
                player = Player(two_tracks=two_tracks, **changes)
            ms = int(words[0])
            player.play_to(ms, note)
            lines += remarks
            remarks.clear()
            said = player.command(words[1:])
            first = f" -> {describe(said[0])}" if said else ""
            lines.append(f"{told:<44}{first}".rstrip())
            for output in said[1:]:
                note(ms, output)
    return "\n".join(lines) + "\n"


def describe(output: outputs.Output) -> str:
    """An output in one line: its name, its moment in ms and what matters of it."""
    fields = {
        name: getattr(output, name)
        for name in output.__struct_fields__
        if name not in {"audio", "reference", "probabilities", "frames", "inference_us", "options"}
    }
    shown = " ".join(f"{name}={_show(name, value)}" for name, value in fields.items())
    extra = ""
    if isinstance(output, outputs.RequestPrediction):
        extra = f" heard={len(output.audio) // 2 // MS}ms"
        if output.reference is not None:
            extra += f" reference={'sound' if any(output.reference) else 'silence'}"
    return f"{type(output).__name__} {shown}{extra}"


def _show(name: str, value: object) -> str:
    if name in {"at", "onset", "start", "end"} and isinstance(value, int):
        return f"{value / MS:g}"
    return getattr(value, "name", None) or str(value)


def _at(words: list[str], now: int) -> int:
    return int(words[0]) * MS if words else now


def _place(word: str) -> int | None:
    return None if word == "-" else int(word) * MS


def _floats(words: list[str]) -> list[float]:
    return [float(word) for word in words]


def _settings(words: list[str]) -> dict[str, Any]:
    pairs = (word.split("=", 1) for word in words)
    return {name: msgspec.json.decode(_json(value)) for name, value in pairs}


def _json(value: str) -> str:
    plain = value[0] in "0123456789[-" or value in {"true", "false", "null"}
    return value if plain else f'"{value}"'


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(run(path.read_text(encoding="utf-8")), encoding="utf-8")
