"""Data sets: fixed splits, conversion of the publishers' archives, error messages."""

import gzip
import io
import json
import os
import shutil
import sys
import tarfile
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np
import pytest
from PIL import Image

from service.inference.preprocessing import decode_image, prepare_photo
from training.datasets import DATASETS, arrays, cats_vs_dogs, load_dataset
from training.datasets.arrays import CIFAR10
from training.datasets.dataset import DatasetDeclaration
from training.datasets.folder import load_folder, model_name
from training.datasets.imdb import convert_reviews, most_frequent_words
from training.datasets.pendigits import PENDIGITS, load_pendigits
from training.errors import DatasetError


def _as_set(pictures: np.ndarray) -> set[bytes]:
    return {picture.tobytes() for picture in pictures}


def test_mnist_splits_are_fixed_and_disjoint(mnist_cache: Path) -> None:
    first, second = load_dataset("mnist"), load_dataset("mnist")

    parts = [_as_set(part.x) for part in (first.train, first.validation, first.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 500
    assert np.array_equal(first.validation.x, second.validation.x)
    assert np.bincount(first.validation.y, minlength=10).min() >= 2
    assert first.splits["test"] == 100


def test_checksum_does_not_depend_on_the_compression(mnist_cache: Path) -> None:
    before = load_dataset("mnist").sha256
    path = mnist_cache / "mnist.npz"
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays)

    assert load_dataset("mnist").sha256 == before


def test_damaged_file_is_refused_by_name(cache: Path) -> None:
    (cache / "mnist.npz").write_bytes(b"PK\x03\x04 no more")

    with pytest.raises(DatasetError, match=r"mnist\.npz: cannot be read .* delete the file"):
        load_dataset("mnist")


def test_missing_set_is_fetched_into_the_cache(
    cache: Path, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    with np.load(data_folder / "mnist.npz") as sample:
        upstream = ((sample["x"][:400], sample["y"][:400]), (sample["x"][400:], sample["y"][400:]))
    monkeypatch.setattr("keras.datasets.mnist.load_data", lambda: upstream)

    dataset = load_dataset("mnist")

    assert dataset.splits["test"] == 100
    assert np.array_equal(load_dataset("mnist").train.x, dataset.train.x)


def test_set_that_another_command_fetches_is_awaited(cache: Path, mnist_file: Path) -> None:
    calls: list[str] = []
    began, go = threading.Event(), threading.Event()

    def fetch(declaration: DatasetDeclaration, progress: object) -> None:
        calls.append(declaration.name)
        began.set()
        assert go.wait(30)
        shutil.copy(mnist_file, cache)

    declaration = replace(arrays.MNIST, fetch=fetch)
    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(declaration.ensure_cached) for _ in range(2)]
        assert began.wait(30)
        go.set()
        for result in results:
            result.result()

    assert calls == ["mnist"]
    assert [path.name for path in cache.iterdir()] == ["mnist.npz"]


def test_failed_download_names_the_path_of_the_arrays(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr("keras.datasets.cifar10.load_data", fail)

    with pytest.raises(DatasetError, match=r"cifar10 .*URL fetch failure.*; or put cifar10\.npz .* at"):
        CIFAR10.ensure_cached()


def test_unknown_set_is_refused_with_all_names() -> None:
    with pytest.raises(DatasetError, match="no data set 'svhn'; choose from mnist"):
        load_dataset("svhn")


def test_size_is_that_of_the_cached_files(mnist_cache: Path) -> None:
    sizes = {entry.name: entry.bytes for entry in DATASETS.values()}

    assert sizes["mnist"] == (mnist_cache / "mnist.npz").stat().st_size
    assert sizes["imdb"] is None


def test_imdb_splits_are_stratified(imdb_cache: Path) -> None:
    dataset = load_dataset("imdb")

    assert dataset.splits == {"train": 80, "validation": 20, "test": 50}
    assert dataset.validation.y.mean() == 0.5
    assert not set(dataset.train.x) & set(dataset.validation.x)


def test_most_frequent_words_counts_texts_and_sorts_ties_alphabetically() -> None:
    texts = ["good good film", "a film", "a bad film<br />"]

    assert most_frequent_words(texts, limit=4) == ["film", "a", "bad", "good"]


def test_reviews_are_converted_in_the_order_of_their_files(tmp_path: Path) -> None:
    archive = tmp_path / "aclImdb_v1.tar.gz"
    with tarfile.open(archive, "w:gz") as target:
        for name, text in (
            ("aclImdb/train/pos/0_9.txt", "lovely"),
            ("aclImdb/train/neg/2_1.txt", "awful"),
            ("aclImdb/train/neg/10_2.txt", "poor"),
            ("aclImdb/train/unsup/0_0.txt", "unlabelled"),
            ("aclImdb/test/neg/0_3.txt", "weak<br />"),
            ("aclImdb/README", "about"),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            target.addfile(info, io.BytesIO(text.encode()))

    targets = {split: tmp_path / f"imdb_{split}.jsonl.gz" for split in ("train", "test")}
    convert_reviews(archive, targets)

    with gzip.open(targets["train"], "rt") as lines:
        rows = [json.loads(line) for line in lines]
    assert [(row["text"], row["label"], row["rating"], row["id"]) for row in rows] == [
        ("poor", 0, 2, 10),
        ("awful", 0, 1, 2),
        ("lovely", 1, 9, 0),
    ]
    with gzip.open(targets["test"], "rt") as lines:
        assert json.loads(lines.read())["text"] == "weak<br />"


def test_wrong_archive_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "aclImdb_v1.tar.gz"
    archive.write_bytes(b"not found")

    with pytest.raises(DatasetError, match="is not a complete"):
        convert_reviews(archive, {"train": tmp_path / "train.gz"})


def _upstream_cats(path: Path) -> None:
    rng = np.random.default_rng(1)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme[1].txt", "about")
        for kind in ("Cat", "Dog"):
            for number in (0, 3499, 3500, 4000, 4999, 5000):
                buffer = io.BytesIO()
                pixels = rng.integers(0, 256, (60, 90, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(buffer, "JPEG")
                damaged = (kind, number) == ("Dog", 3499)
                archive.writestr(f"PetImages/{kind}/{number}.jpg", b"" if damaged else buffer.getvalue())


def test_cats_are_converted_and_split_by_their_numbers(cache: Path) -> None:
    _upstream_cats(cache / "kagglecatsanddogs_5340.zip")

    dataset = load_dataset("cats_vs_dogs", size=32)

    assert dataset.splits == {"train": 3, "validation": 2, "test": 4}
    assert dataset.train.y.tolist() == [0, 0, 1]
    assert [path.name for path in cache.iterdir()] == ["cats_vs_dogs.zip"]
    with zipfile.ZipFile(cache / "cats_vs_dogs.zip") as archive:
        picture = decode_image(archive.read("PetImages/Cat/0.jpg"))
    assert picture.size == (cats_vs_dogs.SIZE, cats_vs_dogs.SIZE)
    assert np.array_equal(dataset.train.x[0], prepare_photo(picture, size=32))


def test_folder_is_split_by_class_and_unreadable_files_are_listed(own_pictures: Path) -> None:
    dataset = load_folder(own_pictures, preprocessing="photo", size=48)

    assert dataset.name == "my_pets"
    assert dataset.labels == ("Cat", "Dog")
    assert dataset.splits == {"train": 24, "validation": 4, "test": 4}
    assert all(np.bincount(part.y).tolist() == [len(part) // 2] * 2 for part in (dataset.train, dataset.test))
    assert [text.partition(":")[0] for text in dataset.skipped] == ["Cat/broken.jpg"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes in folders")
def test_a_pipe_in_a_folder_is_listed_and_not_read(own_pictures: Path) -> None:
    os.mkfifo(own_pictures / "Cat" / "pipe.jpg")  # Reading it would wait for ever.
    dataset = load_folder(own_pictures, preprocessing="photo", size=48)
    assert "Cat/pipe.jpg: is no regular file" in dataset.skipped


def test_copies_of_a_picture_are_in_one_split(own_pictures: Path) -> None:
    before = load_folder(own_pictures, preprocessing="photo", size=48)
    for path in [path for path in sorted((own_pictures / "Cat").iterdir()) if path.stem.isdigit()]:
        path.with_name(f"copy-{path.stem}.jpg").write_bytes(path.read_bytes())

    dataset = load_folder(own_pictures, preprocessing="photo", size=48)

    assert before.copies == 0
    assert dataset.copies == 16
    parts = (dataset.train, dataset.validation, dataset.test)
    distinct = [{image.tobytes() for image in part.x} for part in parts]
    assert not distinct[0] & distinct[1]
    assert not distinct[0] & distinct[2]
    assert not distinct[1] & distinct[2]
    assert sum(map(len, distinct)) == 32


def test_a_picture_with_two_labels_is_left_out_of_the_second(own_pictures: Path) -> None:
    first = next(path for path in sorted((own_pictures / "Cat").iterdir()) if path.stem.isdigit())
    (own_pictures / "Dog" / "zz.jpg").write_bytes(first.read_bytes())

    dataset = load_folder(own_pictures, preprocessing="photo", size=48)

    assert f"Dog/zz.jpg: is the picture of Cat/{first.name}, which has another label" in dataset.skipped


def test_folder_without_classes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "only").mkdir()

    with pytest.raises(DatasetError, match="contains 1 folder; it needs one for each of two or more classes"):
        load_folder(tmp_path, preprocessing="photo", size=48)
    (tmp_path / "only").rmdir()
    with pytest.raises(DatasetError, match="contains no folders"):
        load_folder(tmp_path, preprocessing="photo", size=48)


def test_labels_are_unicode_without_control_characters(own_pictures: Path) -> None:
    (own_pictures / "Cat").rename(own_pictures / "ねこ 🐈")
    (own_pictures / "Dog").rename(own_pictures / "Hündchen\u3000犬")
    assert load_folder(own_pictures, preprocessing="photo", size=48).labels == ("Hündchen\u3000犬", "ねこ 🐈")

    (own_pictures / "two\nlines").mkdir()
    with pytest.raises(DatasetError, match=r"two\\nlines.*cannot be a label; rename the folder"):
        load_folder(own_pictures, preprocessing="photo", size=48)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such file names")
def test_file_names_that_are_not_utf8_are_read_and_shown(own_pictures: Path) -> None:
    picture = next(path for path in sorted((own_pictures / "Cat").iterdir()) if path.stem.isdigit())
    folder = os.fsencode(own_pictures / "Cat")
    Path(os.fsdecode(folder + b"/k\xe4tzchen.jpg")).write_bytes(picture.read_bytes())
    Path(os.fsdecode(folder + b"/h\xfcndchen.jpg")).write_bytes(b"no picture")

    dataset = load_folder(own_pictures, preprocessing="photo", size=48)

    assert dataset.copies == 1
    assert "Cat/h\ufffdndchen.jpg" in [text.partition(":")[0] for text in dataset.skipped]
    Path(os.fsdecode(os.fsencode(own_pictures) + b"/v\xf6gel")).mkdir()
    with pytest.raises(DatasetError, match="cannot be a label; rename the folder"):
        load_folder(own_pictures, preprocessing="photo", size=48)


def test_class_with_too_few_images_is_refused_by_name(own_pictures: Path) -> None:
    for path in sorted((own_pictures / "Dog").iterdir())[3:]:
        path.unlink()

    with pytest.raises(DatasetError, match=r"Dog: contains 3 different readable images, and needs 6"):
        load_folder(own_pictures, preprocessing="photo", size=48)


@pytest.mark.parametrize(
    ("folder", "name"), [("My pets", "my_pets"), ("Äpfel & Grüße!", "apfel_grusse"), ("___", "own_pictures")]
)
def test_model_name_is_valid_in_a_url(folder: str, name: str) -> None:
    assert model_name(folder) == name


def test_a_class_without_pictures_says_why(own_pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(own_pictures / "Dog")
    shutil.copytree(own_pictures / "Cat", own_pictures / "Dog")
    with pytest.raises(DatasetError, match=r"Dog: contains 0 .*left out; Dog/.*: is the picture of Cat/"):
        load_folder(own_pictures, preprocessing="photo", size=48)

    original = os.listdir

    def refuse(path: Path) -> list[str]:
        if Path(path).name == "Dog":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(PermissionError):
        load_folder(own_pictures, preprocessing="photo", size=48)


@pytest.mark.parametrize("name", ["mnist", "imdb", "cats_vs_dogs"])
def test_an_empty_file_of_a_data_set_is_named(cache: Path, name: str) -> None:
    for path in DATASETS[name].paths:
        path.touch()

    with pytest.raises(DatasetError, match=r": cannot be read \(.*\); delete the file to fetch it again"):
        load_dataset(name)


def test_an_empty_file_of_pen_digits_is_named(cache: Path) -> None:
    PENDIGITS.paths[0].touch()

    with pytest.raises(DatasetError, match=r": cannot be read \(.*\); delete the file to fetch it again"):
        load_pendigits()


def _damage(path: Path, *, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place : place + 40] = bytes(value ^ 0xFF for value in content[place : place + 40])
    path.write_bytes(content)


def test_a_damaged_archive_of_reviews_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "aclImdb_v1.tar.gz"
    text = np.random.default_rng(0).bytes(100_000).hex().encode()
    with tarfile.open(archive, "w:gz") as target:
        info = tarfile.TarInfo("aclImdb/train/pos/0_9.txt")
        info.size = len(text)
        target.addfile(info, io.BytesIO(text))
    whole = archive.read_bytes()

    for place in range(100, len(whole) - 100, len(whole) // 30):
        archive.write_bytes(whole)
        _damage(archive, place=place)
        with pytest.raises(DatasetError, match=r"aclImdb_v1\.tar\.gz: "):
            convert_reviews(archive, {split: tmp_path / split for split in ("train", "test")})


def test_a_file_that_is_no_review_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "aclImdb_v1.tar.gz"
    with tarfile.open(archive, "w:gz") as target:
        target.addfile(tarfile.TarInfo("aclImdb/train/pos/._0_9.txt"), io.BytesIO())  # as macOS packs it

    with pytest.raises(DatasetError, match=r"aclImdb_v1\.tar\.gz: is not a complete tar\.gz file"):
        convert_reviews(archive, {split: tmp_path / split for split in ("train", "test")})


def test_a_damaged_archive_of_pictures_is_named(cache: Path) -> None:
    content = np.random.default_rng(0).bytes(50_000).hex().encode()
    archive = cache / "kagglecatsanddogs_5340.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("PetImages/Cat/0.jpg", content)
    _damage(archive, place=60)  # the first block of the compressed picture

    with pytest.raises(DatasetError, match=r"kagglecatsanddogs_5340\.zip: is not a complete zip file"):
        load_dataset("cats_vs_dogs")


def test_own_pictures_have_the_same_order_and_splits_on_every_system(
    own_pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_pictures / "Dog").rename(own_pictures / "a dog")
    for number, path in enumerate(sorted((own_pictures / "a dog").iterdir())):
        path.rename(path.with_name(f"{'Bb'[number % 2]}{number}.jpg"))
    before = load_folder(own_pictures, preprocessing="photo", size=48)
    # As paths are compared on Windows.
    monkeypatch.setattr(PurePath, "__lt__", lambda one, other: str(one).lower() < str(other).lower())

    after = load_folder(own_pictures, preprocessing="photo", size=48)

    assert after.labels == before.labels == ("Cat", "a dog")
    assert after.sha256 == before.sha256
    assert np.array_equal(after.test.x, before.test.x)


@pytest.mark.parametrize(("folder", "name"), [("Cats vs dogs", "own_cats_vs_dogs"), ("MNIST", "own_mnist")])
def test_a_folder_of_own_pictures_is_none_of_the_included_data_sets(
    own_pictures: Path, folder: str, name: str
) -> None:
    renamed = own_pictures.rename(own_pictures.with_name(folder))

    assert load_folder(renamed, preprocessing="photo", size=48).name == name
