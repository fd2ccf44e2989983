"""What the READMEs show is what happens."""

import ast
import asyncio
import inspect
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from bargein_server.cli import serve
from bargein_server.configuration.config import make_settings
from bargein_server.configuration.flags import setting_names
from bargein_server.serving.auth import Authority
from support.markdown import Block, blocks, fits, links
from support.server import RunningServer, running_server

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
CONSOLE = blocks(README, claim="run", language="console")
PYTHON = blocks(README, claim="run", language="python")
PAGES = [ROOT / folder / "README.md" for folder in (".", "protocol", "server", "client")]


@pytest.fixture
async def server() -> AsyncGenerator[RunningServer]:
    """What the README calls port 8765 and 8766."""
    async with running_server() as running:
        yield running


def with_ports(text: str, server: RunningServer) -> str:
    text = text.replace("ws://127.0.0.1:8765", server.url)
    return text.replace("http://127.0.0.1:8766", server.http_url)


@pytest.mark.parametrize("block", CONSOLE, ids=lambda block: block.commands()[0][0][:40])
async def test_commands_print_what_the_page_shows(block: Block, server: RunningServer) -> None:
    for command, expected in block.commands():
        process = await asyncio.create_subprocess_shell(
            with_ports(command, server),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert process.returncode == block.exit_code, errors.decode()
        assert fits(output.decode(), expected), output.decode()


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.text.splitlines()[-1][:40])
async def test_code_runs(block: Block, server: RunningServer) -> None:
    await run(with_ports(block.text, server))


@pytest.mark.parametrize("block", blocks(README, claim="file"), ids=lambda block: block.argument)
def test_block_is_the_file(block: Block) -> None:
    assert block.text == (ROOT / block.argument).read_text(encoding="utf-8")


async def test_token_of_the_page_opens_that_session_and_no_other() -> None:
    (block,) = (block for block in PYTHON if "jwt.encode" in block.text)
    names = await run(block.text)
    grant = Authority({"my-key": str(names["secret"])}).grant(f"Bearer {names['token']}", None)
    assert grant.may_use("call-7")
    assert not grant.may_use("call-8")
    assert not grant.may_see("call-7")


def test_settings_of_the_page_are_legal(tmp_path: Path) -> None:
    _, _, rest = README.read_text(encoding="utf-8").partition("```toml\n")
    path = tmp_path / "bargein.toml"
    path.write_text(rest.partition("```")[0])
    values = serve.make_context("serve", ["--config", str(path)]).params
    settings = make_settings({name: values.get(name) for name in setting_names()})
    assert settings.record == Path("recordings")
    assert (settings.options.min_frames, settings.options.false_interruption_ms) == (3, 2000)


def test_links_lead_somewhere() -> None:
    targets = [target for page in PAGES for target in links(page)]
    assert targets
    assert [target for target in targets if not target.exists()] == []


def test_dots_stand_for_anything_and_nothing_else_does() -> None:
    assert fits("a 12 b\nmore\nc\n", "a … b\n…\nc")
    assert not fits("a 12 c", "a … b")
    assert not fits("axb", "a.b")


async def run(code: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "readme"}
    compiled = compile(code, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(compiled, names)  # noqa: S307
    if inspect.isawaitable(result):
        await result
    return names
