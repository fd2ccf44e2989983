"""Which voice activity detector the options ask for."""

from bargein_protocol.options import Options

from bargein_server.detection.vad import Vad, WebrtcVad


def make_vad(options: Options) -> Vad:
    """A fresh detector of the kind `options.vad`.

    Raises:
        SileroUnavailableError: a `ProtocolError`: this server cannot do what the options ask.
    """
    match options.vad:
        case "webrtc":
            return WebrtcVad(options.vad_aggressiveness)
        case "silero":
            from bargein_server.models.silero import SileroVad

            return SileroVad()
