"""A model's folder changes as a whole, or not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from service.inference.card import Card
from training.errors import ExportError
from training.export import model_folder


def test_a_full_disk_leaves_the_version_unchanged(
    overconfident_models: Path,
    load_consistent_card: Callable[[Path], Card],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = load_consistent_card(overconfident_models)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model_folder, "write_card", fail)
    with pytest.raises(OSError, match="No space"):
        model_folder.rewrite(overconfident_models / "mnist" / "1", replace(before, title="Another title"))
    monkeypatch.undo()

    assert load_consistent_card(overconfident_models) == before


def test_a_version_that_another_command_has_written_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "mnist" / "3"

    def export() -> None:
        with model_folder.new_folder(target, replace=False) as work:
            (work / "card.json").write_text("mine")
            target.mkdir()
            (target / "card.json").write_text("theirs")

    with pytest.raises(ExportError, match="3: exists, and versions are never overwritten"):
        export()

    assert (target / "card.json").read_text() == "theirs"
    assert [path.name for path in target.parent.iterdir()] == ["3"]


def test_the_version_comes_back_if_the_new_one_cannot_take_its_place(
    overconfident_models: Path,
    load_consistent_card: Callable[[Path], Card],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = load_consistent_card(overconfident_models)
    folder, original = overconfident_models / "mnist" / "1", Path.rename

    def rename(path: Path, target: Path) -> Path:
        if target == folder and not path.name.endswith("-old"):
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(PermissionError):
        model_folder.rewrite(folder, replace(before, title="Another title"))

    assert load_consistent_card(overconfident_models) == before
