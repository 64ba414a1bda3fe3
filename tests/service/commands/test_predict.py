"""Tests of the command predict: output and exit statuses."""

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from service.client import Client
from service.inference.catalog import Catalog
from service.inference.prediction import Prediction, Score

Run = Callable[..., Any]


@pytest.fixture
def digit_file(tmp_path: Path, digit_png: bytes) -> str:
    path = tmp_path / "seven.png"
    path.write_bytes(digit_png)
    return str(path)


def test_predict_prints_a_bar_for_every_label(
    run: Run, digit_file: str, models_folder: Path, digit_png: bytes
) -> None:
    prediction = Catalog(models_folder).predictor("mnist").predict([digit_png])[0]
    result = run("predict", "mnist", digit_file)
    head, *bars = result.out.splitlines()
    assert result.status == 0
    assert head.startswith(f"{digit_file}  mnist {prediction.version}")
    assert [bar.split()[0] for bar in bars] == [score.label for score in prediction.scores]
    assert f"{prediction.best.score:7.2%}" in bars[0]
    assert bars[0].count("█") == round(30 * prediction.best.score)


def test_predict_prints_one_line_of_json_for_each_input(
    run: Run, digit_file: str, models_folder: Path, digit_png: bytes
) -> None:
    prediction = Catalog(models_folder).predictor("mnist", 1).predict([digit_png], top_k=2)[0]
    result = run("predict", "mnist", digit_file, digit_file, "--json", "--top-k", "2", "--version", "1")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert lines == [lines[0], lines[0]]
    assert lines[0] == {
        "input": digit_file,
        "model": "mnist",
        "version": 1,
        "scores": [{"label": score.label, "score": score.score} for score in prediction.scores],
        "unsure": prediction.unsure,
    }


def test_read_prints_the_number_and_in_json_what_the_server_answers(
    run: Run, data_folder: Path, models_folder: Path, tmp_path: Path
) -> None:
    page = data_folder / "pictures" / "number.png"
    version = Catalog(models_folder).card("mnist").version

    printed = run("predict", "mnist", str(page), "--read")
    assert (printed.status, printed.out) == (0, f"{page}  mnist {version}\n  2026\n")

    broken = tmp_path / "broken.png"
    broken.write_bytes(b"none")
    result = run("predict", "mnist", str(broken), str(page), "-", "--read", "--json", stdin=page.read_bytes())
    first, second = map(json.loads, result.out.splitlines())
    assert result.status == 1
    assert result.err.startswith(f"{broken}: ")
    assert (first["input"], first["text"], first["lines"]) == (str(page), "2026", ["2026"])
    assert [digit["label"] for digit in first["digits"]] == ["2", "0", "2", "6"]
    assert set(first["digits"][0]) == {"label", "score", "unsure", "box"}
    assert second == first | {"input": "-"}


def test_read_names_unsure_digits(run: Run, tmp_path: Path) -> None:
    page = Image.new("L", (300, 200), 255)
    pen = ImageDraw.Draw(page)
    for left in (50, 180):
        pen.polygon([(left, 150), (left + 40, 50), (left + 80, 150)], outline=0, width=7)
    page.save(tmp_path / "page.png")

    result = run("predict", "mnist", str(tmp_path / "page.png"), "--read")

    assert re.search(
        r"^  unsure: \d, \d\d\.\d\d%, at x (4\d|5\d|17\d|18\d), y (4\d|5\d)$", result.out, re.MULTILINE
    )


def test_read_is_refused_for_other_models_and_with_top_k(run: Run, digit_file: str) -> None:
    result = run("predict", "cifar10", digit_file, "--read")
    assert result.status != 0
    assert "cannot read several digits" in result.err
    result = run("predict", "mnist", digit_file, "--read", "--top-k", "2")
    assert (result.status, "leave out --top-k" in result.err) == (2, True)


def test_predict_says_that_a_picture_shows_several_digits(run: Run, data_folder: Path) -> None:
    page = str(data_folder / "pictures" / "number.png")
    assert (
        "unsure: the picture shows several digits; read them with --read" in run("predict", "mnist", page).out
    )
    assert json.loads(run("predict", "mnist", page, "--json").out)["reason"] == "several_digits"


def test_predict_says_that_lines_are_too_thick(run: Run, tmp_path: Path, thick_png: bytes) -> None:
    file = tmp_path / "thick.png"
    file.write_bytes(thick_png)
    assert "unsure: the lines are too thick for the digit" in run("predict", "mnist", str(file)).out


def test_predict_reads_standard_input(run: Run, digit_png: bytes) -> None:
    assert json.loads(run("predict", "mnist", "-", "--json", stdin=digit_png).out)["input"] == "-"
    text = "Une merveille: wonderful, superb, naïve and excellent."
    answer = json.loads(run("predict", "imdb", "-", "--json", stdin=text.encode()).out)
    assert answer["scores"][0]["label"] == "positive"


def test_predict_classifies_texts_from_the_command_line(run: Run) -> None:
    result = run("predict", "imdb", "wonderful and superb", "a dull waste of time", "--json")
    labels = [json.loads(line)["scores"][0]["label"] for line in result.out.splitlines()]
    assert labels == ["positive", "negative"]


def test_predict_sends_texts_that_are_not_utf_8_to_a_server(
    run: Run, monkeypatch: pytest.MonkeyPatch, models_folder: Path
) -> None:
    texts: list[str] = []

    def classify(client: Client, model: str, inputs: Sequence[str], **options: object) -> list[Prediction]:
        texts.extend(inputs)
        return [Prediction(model=model, version=1, scores=(Score("positive", 1.0),), unsure=False)]

    monkeypatch.setattr(
        Client, "card", lambda client, model, version=None: Catalog(models_folder).card(model)
    )
    monkeypatch.setattr(Client, "predict_many", classify)
    result = run("predict", "imdb", "superb\udcff", "--url", "http://127.0.0.1:1")
    assert (result.status, texts) == (0, ["superb\ufffd"])


def test_predict_marks_unsure_predictions(
    run: Run,
    digit_file: str,
    tmp_path: Path,
    tiny_model: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tiny_model(tmp_path / "models", bias=(0.0,) * 10)
    monkeypatch.setenv("LECTERN_MODELS", str(tmp_path / "models"))
    assert run("predict", "mnist", digit_file).out.splitlines()[0].endswith("(unsure)")


def test_predict_reports_invalid_inputs_and_classifies_the_others(
    run: Run, digit_file: str, tmp_path: Path, encode: Callable[..., bytes]
) -> None:
    blank, text, missing = tmp_path / "blank.png", tmp_path / "notes.txt", tmp_path / "missing.png"
    blank.write_bytes(encode(np.zeros((40, 40), np.uint8)))
    text.write_text("not a picture", encoding="utf-8")
    empty = tmp_path / "empty"
    empty.mkdir()
    result = run("predict", "mnist", str(blank), str(text), str(missing), str(empty), digit_file, "--json")
    assert result.status == 1
    assert [json.loads(line)["input"] for line in result.out.splitlines()] == [digit_file]
    messages = result.err.splitlines()
    assert [line.split(": ")[0] for line in messages] == [str(each) for each in (blank, text, missing, empty)]
    assert "blank" in messages[0]
    assert "cannot be read (No such file or directory)" in messages[2]
    assert "has no files of .png, " in messages[3]


def _inputs(output: str) -> list[str]:
    return [json.loads(line)["input"] for line in output.splitlines()]


def test_predict_takes_the_pictures_of_a_folder(run: Run, tmp_path: Path, digit_png: bytes) -> None:
    for name in ("b.png", "a.PNG", "deeper/c.png", ".hidden.png", ".trash/d.png", "notes.txt"):
        path = tmp_path / "digits" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(digit_png)
    np.save(tmp_path / "digits" / "e.npy", np.zeros((2, 28, 28), np.uint8))

    result = run("predict", "mnist", str(tmp_path / "digits"), "--json")

    folder = tmp_path / "digits"
    expected = ["a.PNG", "b.png", "e.npy[0]", "e.npy[1]", "deeper/c.png"]
    assert (result.status, _inputs(result.out)) == (0, [f"{folder}/{name}" for name in expected])
    read = run("predict", "mnist", str(folder / "deeper"), "--read", "--json")
    assert (read.status, _inputs(read.out)) == (0, [f"{folder}/deeper/c.png"])


def test_predict_reports_damaged_pictures_of_a_folder_and_goes_on(
    run: Run, tmp_path: Path, digit_png: bytes
) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "b.png").write_bytes(digit_png)

    result = run("predict", "mnist", str(tmp_path), "--json")

    assert (result.status, _inputs(result.out)) == (1, [f"{tmp_path}/b.png"])
    assert result.err.startswith(f"{tmp_path}/a.png: ")


def test_predict_leaves_out_pipes_and_devices_of_a_folder(run: Run, tmp_path: Path, digit_png: bytes) -> None:
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("/dev/zero")
    (tmp_path / "c.png").write_bytes(digit_png)
    (tmp_path / "d.png").symlink_to("gone.png")

    result = run("predict", "mnist", str(tmp_path), "--json")

    assert (result.status, _inputs(result.out)) == (1, [f"{tmp_path}/c.png"])
    assert result.err == f"{tmp_path}/d.png: cannot be read (No such file or directory)\n"


def test_predict_takes_arrays_of_pictures(run: Run, tmp_path: Path, mnist_digits: Any) -> None:
    np.save(tmp_path / "digits.npy", mnist_digits[:3] / 255)
    np.savez(tmp_path / "mnist.npz", x_test=mnist_digits[:2], y_test=np.zeros(2))
    digits, named = f"{tmp_path}/digits.npy", f"{tmp_path}/mnist.npz:x_test"

    result = run("predict", "mnist", digits, named, "--json")

    expected = [*(f"{digits}[{row}]" for row in range(3)), *(f"{named}[{row}]" for row in range(2))]
    assert _inputs(result.out) == expected
    scores = [json.loads(line)["scores"] for line in result.out.splitlines()]
    assert scores[:2] == scores[3:]
    refused = run("predict", "mnist", f"{tmp_path}/mnist.npz")
    assert (refused.status, "name one of them as mnist.npz:NAME" in refused.err) == (1, True)
    piped = run("predict", "mnist", "-", "--json", stdin=Path(digits).read_bytes())
    assert [json.loads(line)["scores"] for line in piped.out.splitlines()] == scores[:3]


def test_encrypted_or_damaged_archives_of_arrays_are_reported(
    run: Run, tmp_path: Path, mnist_digits: np.ndarray
) -> None:
    path = tmp_path / "digits.npz"
    np.savez_compressed(path, x=mnist_digits[:2])
    content = bytearray(path.read_bytes())
    for start, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(start) + flags] |= 1  # encrypted
    (tmp_path / "secret.npz").write_bytes(content)
    content = bytearray(path.read_bytes())
    content[60:80] = bytes(20)
    (tmp_path / "damaged.npz").write_bytes(content)

    for name in ("secret", "damaged"):
        result = run("predict", "mnist", f"{tmp_path}/{name}.npz")
        assert result.status == 1
        assert f"{name}.npz: cannot be read (" in result.err
        assert "save it with numpy.savez" in result.err


def test_predict_reads_files_of_texts_and_arrays_of_words(
    run: Run, tmp_path: Path, models_folder: Path
) -> None:
    text = "A wonderful, superb and excellent film."
    (tmp_path / "reviews").mkdir()
    path = tmp_path / "reviews" / "review.txt"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())

    lines = run("predict", "imdb", text, str(path), str(tmp_path / "reviews"), "--json").out.splitlines()

    first, *others = (json.loads(line) for line in lines)
    assert [other["input"] for other in others] == [str(path)] * 2
    assert [other["scores"] for other in others] == [first["scores"]] * 2
    predictor = Catalog(models_folder).predictor("imdb")
    ids = predictor.prepare(text)[None]
    vector = np.zeros((1, predictor.card.input.parameters["words"] + 1), np.uint8)
    vector[0, ids[0]] = 1
    for name, array, options in (("ids", ids, ()), ("vector", vector, ("--encoding", "multi_hot"))):
        np.save(tmp_path / f"{name}.npy", array)
        answer = json.loads(run("predict", "imdb", f"{tmp_path}/{name}.npy", "--json", *options).out)
        assert answer["scores"] == first["scores"]
    assert "send each word's id once" in run("predict", "imdb", f"{tmp_path}/vector.npy").err


def test_text_that_names_no_file_is_a_text(run: Run) -> None:
    long = "wonderful " * 1000
    assert _inputs(run("predict", "imdb", "superb.txt", long, "--json").out) == ["superb.txt", long]


def test_a_file_of_another_kind_is_no_text(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("A wonderful film.")
    result = run("predict", "imdb", str(path))
    assert (result.status, result.out) == (1, "")
    assert "README.md: is a file, and texts are read from .txt files alone" in result.err


def test_predict_accepts_file_names_that_are_not_utf_8(run: Run, tmp_path: Path, digit_png: bytes) -> None:
    path = tmp_path / os.fsdecode(b"sieben\xff.png")
    path.write_bytes(digit_png)
    assert "sieben\ufffd.png  mnist" in run("predict", "mnist", str(path)).out
    assert json.loads(run("predict", "mnist", str(path), "--json").out)["input"].endswith("sieben\ufffd.png")
    assert "fehlt\ufffd.png: cannot be read" in run("predict", "mnist", f"{path.parent}/fehlt\udcff.png").err


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "no address"])
def test_predict_with_an_unreachable_server_exits_with_status_2(run: Run, digit_file: str, url: str) -> None:
    result = run("predict", "mnist", digit_file, "--url", url)
    assert (result.status, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1


def test_predict_takes_numbers_in_plain_digits_only(run: Run, digit_file: str) -> None:
    for option in ("--top-k", "--version"):
        assert "'1_0' is not a whole number" in run("predict", "mnist", digit_file, option, "1_0").err
        assert "x>=1" in run("predict", "mnist", digit_file, option, "-1").err


@pytest.mark.parametrize(
    ("model", "key", "message"),
    [
        ("", "k", "the name of the model is empty"),
        ("mnist", "k\r", "api_key has a line break or another control character"),
    ],
)
def test_what_no_request_can_hold_is_named(
    run: Run, digit_file: str, model: str, key: str, message: str
) -> None:
    result = run("predict", model, digit_file, "--url", "http://127.0.0.1:1", "--api-key", key)
    assert (result.status, result.out) == (2, "")
    assert message in result.err


@pytest.mark.parametrize("model", ["progress", "risk"])
@pytest.mark.parametrize("value", ["[1]", "Infinity"])
def test_a_row_that_no_request_can_hold_is_reported(
    run: Run, head_models: Path, monkeypatch: pytest.MonkeyPatch, model: str, value: str
) -> None:
    monkeypatch.setattr(Client, "card", lambda client, name, version=None: Catalog(head_models).card(name))
    result = run("predict", model, f'{{"age": {value}}}', "--url", "http://127.0.0.1:1")
    assert (result.status, result.out) == (1, "")
    assert "inputs[0]['age'] is" in result.err
