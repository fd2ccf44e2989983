"""Headless Chromium for tests; its microphone plays a file, its loudspeaker is not heard."""

import contextlib
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

__all__ = ["Browser", "Page", "chromium", "expect", "open_page"]

FLAGS = (
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
TIMEOUT_MS = 20_000


@contextlib.asynccontextmanager
async def chromium(microphone: Path | None = None) -> AsyncGenerator[Browser]:
    """A browser with a fresh profile; `microphone` is a WAV file that plays once."""
    path = shutil.which("chromium")
    assert path is not None, "Chromium is missing: run scripts/setup-browser"
    flags = [*FLAGS]
    if microphone is not None:
        flags.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def open_page(browser: Browser, url: str, **options: Any) -> AsyncGenerator[Page]:
    """A page of its own context; fails at the end if the page complained about anything."""
    expect.set_options(timeout=TIMEOUT_MS)
    context = await browser.new_context(**options)
    context.set_default_timeout(TIMEOUT_MS)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    try:
        await page.goto(url)
        yield page
    finally:
        await context.close()
    assert not complaints, complaints
