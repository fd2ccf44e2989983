"""What the server says when it is up: where it listens, who may come, and what to do next."""

import logging
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bargein_server.serving.app import Addresses, App

logger = logging.getLogger(__name__)


def announce(app: App, addresses: Addresses) -> None:
    """Say that the server is up: on standard output for people, in the log for machines."""
    if app.settings.log_format == "json":
        logger.info("listening", extra=addresses._asdict())
        return
    console = Console(highlight=False)
    console.print("[bold]Bargein is listening.[/bold]")
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(app, addresses).items():
        facts.add_row(f"  {name}", value)
    console.print(facts, soft_wrap=True)
    console.print("\n[bold]Next[/bold]:")
    for line in _next_steps(addresses, keys=bool(app.settings.keys)):
        console.print(f"  {line}", soft_wrap=True)


def _facts(app: App, addresses: Addresses) -> dict[str, str]:
    settings, model = app.settings, app.services.model
    everyone = "[yellow]no keys: everything is allowed to everybody on this machine[/yellow]"
    recording = f"{'on request' if settings.allow_record else 'every session'}, into "
    return {
        "sessions": f"{addresses.url}/v1/session",
        "events": f"{addresses.url}/v1/events",
        "livekit": f"LIVEKIT_INFERENCE_URL={addresses.http_url}/v1",
        "http": f"{addresses.http_url}   (/healthz, /readyz, /metrics, /v1/sessions, /v1/tokens)",
        "keys": ", ".join(sorted(settings.keys)) if settings.keys else everyone,
        "model": f"{model.name} {model.version}, threshold {model.default_threshold:g}",
        "recording": f"{recording}{settings.record}" if settings.record else "off",
    }


def _next_steps(addresses: Addresses, *, keys: bool) -> list[str]:
    """What works from where the server was started, the quickest first."""
    server = f"--url {addresses.url}{' --key KEY --secret SECRET' if keys else ''}"
    steps = [
        f"open {addresses.http_url}/ in a browser, and try it",
        f"{_command()} watch {server}",
    ]
    if Path("scripts/samples").is_dir():
        steps.insert(1, f"./scripts/replay {server} scripts/samples/*.bargein")
    return steps


def _command() -> str:
    """What to type to run `bargein`: it may lie in an environment that is not active."""
    if shutil.which("bargein"):
        return "bargein"
    installed = Path(sys.executable).with_name("bargein")
    return str(
        installed.relative_to(Path.cwd()) if installed.is_relative_to(Path.cwd()) else installed
    )
