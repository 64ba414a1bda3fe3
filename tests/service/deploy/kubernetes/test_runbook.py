"""The runbook names files that exist, and all components."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
TEXT = (ROOT / "service" / "deploy" / "README.md").read_text("utf-8")


def test_files_in_commands_exist() -> None:
    names = set(re.findall(r"(?:service|tests)/[\w./-]+", TEXT))
    assert len(names) >= 4
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_all_components_are_in_the_table(folder: Path) -> None:
    rows = set(re.findall(r"^ +\| `([\w-]+)` \|", TEXT, re.MULTILINE))
    assert rows == {path.name for path in (folder / "components").iterdir()}


def test_the_times_of_a_stop_are_those_of_the_manifest(folder: Path) -> None:
    deployment = (folder / "base" / "deployment.yaml").read_text()
    wait, drain, grace = (
        int(re.search(pattern, deployment)[1])  # type: ignore[index]
        for pattern in (
            r"sleep: {seconds: (\d+)}",
            r'LECTERN_DRAIN_S, value: "(\d+)"',
            r"GracePeriodSeconds: (\d+)",
        )
    )
    assert re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE) == [str(s) for s in (0, wait, wait + drain, grace)]
