"""Every setting of the server: its name, type, range, default and one line of help, in one table.

`bargein serve` makes its flags, environment variables and TOML keys from this table (`cli.py`).
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from bargein_protocol.options import Options
from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65_535)]


class SettingsError(ValueError):
    """A setting that cannot be; the text names it, its value and what is allowed."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one server runs by.

    Raises:
        SettingsError: two settings contradict each other.
    """

    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="WebSocket port; 0 picks a free one.")] = 8765
    http_port: Annotated[
        Port, Meta(description="HTTP companion port (health, metrics, tokens); 0 picks a free one.")
    ] = 8766
    keys: Annotated[
        dict[str, str],
        Meta(description="An API key and its secret, as KEY:SECRET; clients sign tokens with it."),
    ] = msgspec.field(default_factory=dict[str, str])
    allow_origins: Annotated[
        tuple[str, ...],
        Meta(description="A web origin whose pages may connect, e.g. https://app.example.com."),
    ] = ()
    model: Annotated[
        Path | None, Meta(description="An ONNX model to use in place of the shipped one.")
    ] = None
    threads: Annotated[
        int, Meta(ge=1, le=64, description="Threads that one run of the model uses.")
    ] = 1
    options: Annotated[
        Options,
        Meta(description="A session option as NAME=VALUE; the default of every session."),
    ] = msgspec.field(default_factory=Options)
    record: Annotated[
        Path | None, Meta(description="Record sessions into this folder: all of them.")
    ] = None
    allow_record: Annotated[
        bool, Meta(description="With --record: only sessions whose client asks for it.")
    ] = False
    max_sessions: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Sessions at once; further ones are refused.")
    ] = 1000
    create_timeout_s: Annotated[
        float, Meta(ge=0.1, le=3600, description="Longest wait for session.create.")
    ] = 10.0
    idle_timeout_s: Annotated[
        float, Meta(ge=0, le=86_400, description="End a session that sends nothing; 0: never.")
    ] = 600.0
    max_duration_s: Annotated[
        float, Meta(ge=0, le=604_800, description="Longest duration of a session; 0: no limit.")
    ] = 14_400.0
    max_ahead_s: Annotated[
        float,
        Meta(ge=1, le=604_800, description="Refuse audio that runs this far ahead of real time."),
    ] = 14_400.0
    resume_window_s: Annotated[
        float,
        Meta(ge=0, le=3600, description="How long a session outlives a lost connection."),
    ] = 30.0
    drain_timeout_s: Annotated[
        float,
        Meta(ge=0, le=604_800, description="After SIGTERM, how long running sessions may go on."),
    ] = 1800.0
    ping_interval_s: Annotated[
        float, Meta(ge=1, le=3600, description="Between WebSocket pings; a silent peer is dropped.")
    ] = 20.0
    token_leeway_s: Annotated[
        float, Meta(ge=0, le=3600, description="Clock difference that tokens may have.")
    ] = 30.0
    event_log_count: Annotated[
        int, Meta(ge=1, le=10_000_000, description="Events kept for /v1/events to resume from.")
    ] = 10_000
    event_log_bytes: Annotated[
        int, Meta(ge=1024, le=1 << 34, description="Bytes of events kept for /v1/events.")
    ] = 16 * 1024 * 1024
    log_format: Annotated[
        Literal["text", "json"], Meta(description="How the log on standard error is written.")
    ] = "text"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="What is logged.")
    ] = "info"
    ready_file: Annotated[
        Path | None,
        Meta(description="Write host, port, http_port and pid there as JSON once ready."),
    ] = None

    def __post_init__(self) -> None:
        """Check what no single range can."""
        if not self.keys and not self.loopback:
            raise SettingsError(
                f"host = {self.host}: without a key only loopback addresses are allowed "
                "(127.0.0.1, ::1, localhost); add --key KEY:SECRET or set BARGEIN_KEYS"
            )
        if self.allow_record and self.record is None:
            raise SettingsError("allow_record = true: needs a folder; add --record DIR")
        for key, secret in self.keys.items():
            if not key or not secret:
                raise SettingsError(f"keys: {key or '(empty)'}: key and secret must not be empty")

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address, no brackets) means this machine alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
