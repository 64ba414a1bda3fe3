"""A run's folder has one training at a time, and says what it contains."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from service.inference.files import write_json
from training.errors import RunError
from training.fit.run_folder import clear_run, free_name, is_locked, lock_run, read_state


def _epochs(count: int) -> list[dict[str, float]]:
    names = ("loss", "accuracy", "validation_loss", "validation_accuracy", "seconds")
    return [{"number": number + 1} | dict.fromkeys(names, 0.5) for number in range(count)]


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with lock_run(folder):
        assert is_locked(folder)
        with pytest.raises(RunError, match="another training writes there"), lock_run(folder):
            pytest.fail("the folder was locked twice")
        write_json(folder / "settings.json", {})
    assert not is_locked(folder)


def test_lock_of_a_killed_training_ends(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from training.fit.run_folder import lock_run\n"
        f"with lock_run(pathlib.Path({str(tmp_path / 'run')!r})):\n"
        "    print('locked', flush=True)\n"
        "    sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", script], **pipes) as process:
        assert process.stdout.readline() == "locked\n"
        assert is_locked(tmp_path / "run")
        process.kill()
        process.wait()
        assert not is_locked(tmp_path / "run")


def test_folder_in_which_nothing_was_begun_disappears(tmp_path: Path) -> None:
    with lock_run(tmp_path / "runs" / "run"):
        pass
    assert not (tmp_path / "runs" / "run").exists()


def test_state_counts_the_epochs_of_stages_and_folds(tmp_path: Path) -> None:
    assert read_state(tmp_path).empty
    for name, count in (("head", 2), ("fine-tuning", 1), ("fold-1", 4)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "history.json").write_text(json.dumps(_epochs(count)))
    assert str(read_state(tmp_path)) == "an unfinished run of 7 epochs"
    (tmp_path / "fold-1" / "run.json").write_text("{}")
    assert str(read_state(tmp_path)) == "a finished run"


def test_free_name_is_that_of_no_run(tmp_path: Path) -> None:
    for name in ("mnist-dense", "mnist-dense-2"):
        (tmp_path / name).mkdir()
    assert free_name(tmp_path / "mnist-dense") == "mnist-dense-3"


def test_cleared_folder_keeps_what_is_not_of_a_run(tmp_path: Path) -> None:
    with lock_run(tmp_path):
        for name in ("run.json", "model.keras", "epoch-003.keras", "head/history.json", "fold-2/run.json"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("{}")
        for name in ("notes.txt", "my_model.keras", "folds.png"):
            (tmp_path / name).write_text("the user's")

        clear_run(tmp_path)

        assert is_locked(tmp_path)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {".lock", "notes.txt", "my_model.keras", "folds.png"}


def test_a_lock_of_another_user_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".lock").touch()

    def refuse(self: FileLock, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / ".lock"))

    monkeypatch.setattr(FileLock, "acquire", refuse)

    assert not is_locked(tmp_path)
