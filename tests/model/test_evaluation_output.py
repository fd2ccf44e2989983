"""The report: whole tables, Markdown that can be put in place again, JSON, plots, extra voices."""

from pathlib import Path

import numpy as np
import orjson
import pytest
from bargein_model.composer.corpus import Corpus, Role
from bargein_model.evaluation import output
from bargein_model.evaluation.examination import ORACLE_SYSTEMS, RULE_NAMES, SYSTEMS
from bargein_model.evaluation.items import Condition, Facts, Group
from bargein_model.evaluation.material import Material, group_of
from bargein_model.evaluation.planning import plan_extra
from bargein_model.evaluation.plots import draw
from bargein_model.evaluation.sheet import Sheet, Trial
from bargein_model.evaluation.tables import SHIPPED, Table, report
from bargein_model.recordings import Recording
from bargein_model.recordings import write_corpus as write_recordings
from model.corpora import write_corpus

RATE = 16_000


def answered(seed: int = 0) -> Sheet:
    """Made-up answers of all systems to two items of every group under every condition."""
    rng = np.random.default_rng(seed)
    return Sheet(
        Trial(
            facts=Facts(
                name=f"{condition.name}-{group.name}-{turn}",
                group=group,
                condition=condition,
                kind="some",
                language=("en", "fi")[turn],
                source="somewhere",
                speaker=f"speaker {turn}",
                onset=RATE,
                content=RATE,
                end=2 * RATE,
            ),
            flagged={
                name: int(rng.integers(RATE, 2 * RATE)) if rng.random() < 0.5 else None
                for name in (*SYSTEMS, *ORACLE_SYSTEMS)
            },
            scores={name: float(rng.random()) for name in (*SYSTEMS, *ORACLE_SYSTEMS)},
            frames=tuple(rng.random(60).tolist()),
        )
        for condition in Condition
        for group in Group
        for turn in range(2)
    )


@pytest.fixture(scope="module")
def tables() -> list[Table]:
    return report(answered(), SYSTEMS, ORACLE_SYSTEMS, answered(1))


def test_every_row_is_as_long_as_its_header(tables: list[Table]) -> None:
    for table in tables:
        assert {len(row) for row in table.rows} == {len(table.header)}


def test_the_first_tables_hold_every_system_and_every_target(tables: list[Table]) -> None:
    in_service, oracle, against = tables[:3]
    assert [row[0] for row in in_service.rows] == list(SYSTEMS)
    assert [row[0] for row in oracle.rows] == [SHIPPED, *RULE_NAMES]
    assert {row[3].split()[0] for row in against.rows} <= {"met", "missed"}
    assert len(against.rows) == 16


def test_without_further_voices_their_target_is_not_examined() -> None:
    against = report(answered(), SYSTEMS, ORACLE_SYSTEMS, None)[2]
    assert [row[3] for row in against.rows].count("not examined") == 1


def test_markdown_is_put_in_place_and_replaced(tmp_path: Path, tables: list[Table]) -> None:
    page = tmp_path / "README.md"
    page.write_text(
        f"# Before\n\n{output.BEGIN}\noutdated\n{output.END}\n\n# After\n", encoding="utf-8"
    )
    text = output.to_markdown(tables, "The model.")
    for _ in range(2):
        output.update_markdown(page, text)
        now = page.read_text(encoding="utf-8")
        assert now.startswith("# Before\n\n")
        assert now.endswith("\n\n# After\n")
        assert "outdated" not in now
        assert now.count("#### Targets") == 1


def test_markdown_goes_to_the_end_of_a_page_without_marks(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("# Before\n", encoding="utf-8")
    output.update_markdown(page, "new\n")
    now = page.read_text(encoding="utf-8")
    assert now.startswith(f"# Before\n\n{output.BEGIN}")
    assert now.endswith(f"{output.END}\n")


def test_json_holds_every_answer(tmp_path: Path, tables: list[Table]) -> None:
    path, sheet = tmp_path / "answers.json", answered()
    output.to_json(path, tables, {"exam": sheet}, {"summary": "x"})
    content = orjson.loads(path.read_bytes())
    assert len(content["items"]["exam"]) == len(sheet)
    assert content["items"]["exam"][0]["facts"]["group"] == "long"
    assert content["tables"][2]["title"] == "Targets"


def test_plots_are_pictures(tmp_path: Path) -> None:
    paths = draw(answered(), tmp_path, SYSTEMS[1:])
    assert [path.name for path in paths] == ["det.png", "calibration.png", "detection_time.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_further_voices_make_a_corpus_that_is_never_trained_on(tmp_path: Path) -> None:
    time = np.arange(RATE) / RATE
    buzz = (0.2 * np.sign(np.sin(2 * np.pi * 120 * time))).astype(np.float32)
    quiet = np.zeros(RATE // 2, np.float32)
    spoken = np.concatenate([quiet, buzz, quiet])
    said = [
        Recording(source, "voice", language, kind, subclass, "x", lambda: spoken)
        for source, language in (("one", "en"), ("two", "de"))
        for kind, subclass in (
            ("speech", "tts_sentence"), ("speech", "tts_short"), ("backchannel", "x")
        )
    ]  # fmt: skip
    silent = Recording("one", "voice", "en", "speech", "tts_short", "x", lambda: quiet)
    written = write_recordings(tmp_path / "extra", [*said, silent], "val")
    assert list(written) == [*said, silent]
    main = write_corpus(tmp_path / "corpus")
    corpus = Corpus((main, tmp_path / "extra"), tmp_path / "cache")
    clips = [clip for clip in corpus.clips if clip.reel.parent.name == "extra"]
    assert len(clips) == len(said)
    assert {clip.role for clip in clips} == {Role.REPORTED}
    assert {(clip.onset, clip.offset) for clip in clips} == {(RATE // 2, RATE * 3 // 2)}
    assert {group_of(clip) for clip in clips} == {Group.LONG, Group.SHORT, Group.BACKCHANNEL}
    plans = plan_extra(Material(corpus), clips, seed=1, items=3)
    assert len(plans) == 3 * 2 * 3
    assert {plan.sound.reel.parent.name for plan in plans} == {"extra"}
