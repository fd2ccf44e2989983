"""Session options as clients ask for them, made effective."""

from bargein_protocol.options import Options, OptionsUpdate, merge_options
from msgspec.structs import replace

from bargein_server.sessions.services import Services


def resolve(options: Options, default_threshold: float) -> Options:
    """Options whose threshold is a number: their own, or the model's default."""
    if options.threshold is not None:
        return options
    return replace(options, threshold=default_threshold)


def effective(current: Options, update: OptionsUpdate | None, services: Services) -> Options:
    """`current` with what the client changes.

    Raises:
        ProtocolError: a value of the wrong type, out of range, at odds with another option, or
            not to be had on this server.
    """
    merged = merge_options(current, update or {})
    options = resolve(merged, services.model.default_threshold)
    if options.vad != current.vad:
        services.vad(options)  # raises where it is not installed
    return options


def unknown_options(update: OptionsUpdate | None) -> list[str]:
    """Names that no option has."""
    known = Options.__struct_fields__
    return sorted(str(name)[:64] for name in update or {} if name not in known)
