"""Which voice activity detector the options ask for."""

from bargein_protocol.options import Options

from bargein_server.detection.vad import Vad, WebrtcVad


def make_vad(options: Options) -> Vad:
    """A fresh VAD as `options.vad` names it.

    Raises:
        SileroUnavailableError: Silero's weights are not installed.
    """
    if options.vad == "silero":
        from bargein_server.silero import SileroVad

        return SileroVad()
    return WebrtcVad(options.vad_aggressiveness)
