"""What a Bargein model file promises: names, classes, rates. The server reads the same facts."""

from enum import IntEnum

SAMPLE_RATE = 16_000
FRAME_SAMPLES = 400
FRAMES_PER_SECOND = SAMPLE_RATE // FRAME_SAMPLES
CONTRACT = "1"


class SoundClass(IntEnum):
    """The five outputs, in the order of the last axis of `probabilities`."""

    INTERRUPTION = 0
    BACKCHANNEL = 1
    VOCAL = 2
    NOISE = 3
    ECHO = 4


CLASS_NAMES = tuple(sound.name.lower() for sound in SoundClass)
