"""The JavaScript itself: its unit tests, its types, and its agreement with the protocol's code."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from bargein_client.retrying import Advice, advice_for
from bargein_protocol.errors import ErrorCode

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "client" / "browser"
TOOLS = ROOT / ".tools" / "browser" / "node_modules"
UNIT = sorted((Path(__file__).parent / "unit").glob("*.test.js"))
ADVICE = {Advice.RAISE: "give up", Advice.RESUME: "resume", Advice.BEGIN_ANEW: "begin anew"}


def run(*command: str | Path) -> str:
    """What a command prints; it has to succeed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def node(*arguments: str | Path) -> str:
    path = shutil.which("node")
    assert path is not None, "Node.js is missing: run scripts/setup-browser"
    return run(path, *arguments)


def test_units() -> None:
    output = node("--test", "--test-reporter=tap", *UNIT)
    assert "# pass" in output
    assert "# fail 0" in output


@pytest.mark.parametrize(
    "project",
    [CLIENT / "tsconfig.worklet.json", Path(__file__).parent / "tsconfig.page.json"],
    ids=["worklet", "page"],
)
def test_types(project: Path) -> None:
    run(TOOLS / ".bin" / "tsc", "-p", project, "--noEmit", "--typeRoots", TOOLS / "@types")


def test_types_of_the_client_and_its_declarations(tmp_path: Path) -> None:
    run(TOOLS / ".bin" / "tsc", "-p", CLIENT / "tsconfig.json", "--outDir", tmp_path)
    emitted = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text() for path in (CLIENT / "types").iterdir()}
    kept.pop("messages.d.ts")
    assert emitted == kept, f"run: tsc -p {CLIENT.relative_to(ROOT)}"


def test_a_typed_program_compiles_against_the_package(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "bargein").symlink_to(CLIENT)
    (tmp_path / "app.mts").write_text(PROGRAM)
    (tmp_path / "readme.mts").write_text(README_NEEDS + readme_example())
    options = ("--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2023,dom")
    run(TOOLS / ".bin" / "tsc", "--noEmit", "--types", "", *options, *tmp_path.glob("*.mts"))


def readme_example() -> str:
    [block] = re.findall(
        r"^```js\n(.*?)^```$", (CLIENT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    return str(block)


README_NEEDS = """
declare const player: HTMLAudioElement & { stop(): void };
declare const button: HTMLButtonElement;
declare function fetchToken(): Promise<string>;
"""
PROGRAM = """
import { connect, Microphone, follow, type SessionEventMap } from "bargein";

const token = async () => "…";
const session = await connect("wss://voice.example.com", { token, reference: true });
session.addEventListener("interruption", ({ detail }) => {
  const delay: number = detail.detection_delay_ms;
  const source: "model" | "vad" | "transcript" = detail.source;
  console.log(delay, source);
});
session.addEventListener("lost", ({ detail }) => console.log(detail.code, detail.fault));
// @ts-expect-error: no message has this name
const wrong: SessionEventMap["interuption"] = 1;
for await (const message of session) {
  if (message.type === "non_interruption") console.log(message.reason satisfies string);
}
const microphone = await Microphone.open({ session });
microphone.muted = true;
session.update({ threshold: 0.6 });
// @ts-expect-error: a threshold is a number
session.update({ threshold: "high" });
for await (const message of follow("wss://voice.example.com")) console.log(message.seq);
console.log(await session.close(), wrong);
"""


def test_messages_and_errors_are_those_of_the_protocol() -> None:
    run(sys.executable, CLIENT / "generate.py", "--check")


def test_what_is_tried_again_is_what_the_python_client_tries_again() -> None:
    script = """
      import { ERRORS } from "./client/browser/src/errors.js";
      import { adviceFor } from "./client/browser/src/retrying.js";
      const codes = Object.keys(ERRORS);
      const advice = [false, true].map((resuming) =>
        Object.fromEntries(codes.map((code) => [code, adviceFor(code, resuming)])));
      console.log(JSON.stringify(advice));
    """
    advice = json.loads(node("--input-type=module", "--eval", script))
    assert advice == [
        {error.code: ADVICE[advice_for(error, resuming=resuming)] for error in ErrorCode}
        for resuming in (False, True)
    ]


def test_the_package_can_be_published() -> None:
    npm = shutil.which("npm")
    assert npm is not None
    listing = run(npm, "pack", "--dry-run", "--json", "--silent", CLIENT)
    [package] = msgspec.json.decode(listing, type=list[dict[str, object]])
    entries = msgspec.convert(package["files"], list[dict[str, object]])
    files = {str(entry["path"]) for entry in entries}
    assert {"src/index.js", "src/worklet.js", "types/index.d.ts", "README.md", "LICENSE"} <= files
    assert not any(name.startswith("node_modules") or name.endswith(".py") for name in files)
