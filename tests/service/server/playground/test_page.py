"""The playground's files come from this server alone, are small, cached and compressed, and need no key."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import desktop
import service.server.playground
from service.inference.catalog import BUNDLED
from service.server.playground.page import Playground

Server = Any
ASSETS = Path(service.server.playground.__file__).parent / "assets"
MODULES = sorted(ASSETS.glob("*.js"))
MAX_BYTES = 155_000


def test_the_start_page_is_the_playground_and_links_to_the_api_page(server: Server) -> None:
    page = server.ask("GET", "/")
    assert page.status == 200
    assert 'href="./docs"' in page.body.decode()
    assert 'href="./"' in server.ask("GET", "/docs").body.decode()


def test_the_whole_page_is_small() -> None:
    assert sum(path.stat().st_size for path in ASSETS.rglob("*") if path.is_file()) <= MAX_BYTES


def test_nothing_comes_from_another_host() -> None:
    for path in [*MODULES, *ASSETS.glob("*.css"), *ASSETS.glob("*.html")]:
        addresses = re.findall(r"https?://\S+", path.read_text("utf-8"))
        assert addresses == [], path.name


def test_all_addresses_of_the_page_exist_and_are_relative(server: Server) -> None:
    text = server.ask("GET", "/").body.decode()
    paths = re.findall(r'(?:src|href)="([^"?]+)"', text)
    assert len(paths) > len(MODULES)
    for path in paths:
        assert path.startswith("./"), path
        assert server.ask("GET", path[1:]).status == 200, path


def test_the_policy_allows_no_inline_code(server: Server) -> None:
    page = server.ask("GET", "/")
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
    text = page.body.decode()
    assert re.findall(r"<script(?![^>]* src=)| on\w+=| style=", text) == []
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert all(path.read_text("utf-8") in style for path in ASSETS.glob("*.css"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in policy


@pytest.mark.parametrize("path", ["/", "/playground/main.js", "/playground/icon.svg"])
def test_files_are_cached_and_compressed(server: Server, path: str) -> None:
    plain = server.ask("GET", path)
    small = server.ask("GET", path, headers={"Accept-Encoding": "gzip, br"})
    assert plain.status == small.status == 200
    if "Content-Encoding" in small.headers:
        assert gzip.decompress(small.body) == plain.body
        assert small.headers["ETag"] != plain.headers["ETag"]
        assert small.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    else:
        assert len(plain.body) < 1_000
    for answer in (plain, small):
        sent = {"Accept-Encoding": "gzip, br"} if answer is small else {}
        again = server.ask("GET", path, headers={"If-None-Match": answer.headers["ETag"], **sent})
        assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("accepted", ["gzip;q=0", "identity, gzip; q=0.0", "deflate"])
def test_a_client_that_refuses_gzip_gets_a_file_as_it_is(server: Server, accepted: str) -> None:
    answer = server.ask("GET", "/playground/main.js", headers={"Accept-Encoding": accepted})
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, None)
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_only_its_files_are_served(server: Server) -> None:
    for path in ("/playground/", "/playground/page.py", "/playground/../page.py", "/playground/index.html"):
        assert server.ask("GET", path).status == 404, path


@pytest.fixture(scope="module")
def without(start_server: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without the playground."""
    with start_server(PLAYGROUND="0") as running:
        yield running


def test_a_setting_keeps_the_api_page_alone(without: Server) -> None:
    page = without.ask("GET", "/")
    assert b"SwaggerUIBundle" in page.body
    assert page.body == without.ask("GET", "/docs").body
    assert b"Playground" not in page.body
    assert without.ask("GET", "/playground/main.js").status == 404


def test_without_javascript_there_is_a_button_for_each_model_of_pictures(server: Server) -> None:
    listed = server.ask("GET", "/models").json()["models"]
    pictures = {model["name"] for model in listed if model["task"] == "image-classification"}
    text = server.ask("GET", "/").body.decode()
    assert set(re.findall(r'formaction="\./models/([^"]+)"', text)) == pictures


def test_names_of_models_are_escaped(mnist_card: Any) -> None:
    import msgspec.structs

    playground = Playground()
    playground.publish([msgspec.structs.replace(mnist_card, name='a"><script>')])
    body = playground._page._forms[""][0].decode()
    assert "a&quot;&gt;&lt;script&gt;" in body
    assert "<script>" not in body


def test_every_text_of_the_page_has_a_translation_and_no_translation_is_unused() -> None:
    german = (ASSETS / "german.js").read_text("utf-8")
    known = set(re.findall(r'^ {2}"((?:[^"\\]|\\.)*)":', german, re.MULTILINE))
    sources = "".join(path.read_text("utf-8") for path in MODULES if path.name != "german.js")
    page = (ASSETS / "index.html").read_text("utf-8")
    used = set(re.findall(r'\bt\(\s*"([^"]+)"', sources))
    used |= set(re.findall(r"data-t>([^<]+)<", page))
    used |= set(re.findall(r'(?:aria-label|aria-description|placeholder|title)="([^"]+)"', page))
    messages = re.search(r"const MESSAGES = \{(.*?)\};", sources, re.DOTALL)
    assert messages
    used |= set(re.findall(r': "([^"]+)"', messages[1]))
    assert used - known == set()
    unused = {text for text in known - used if f'"{text}"' not in sources}
    assert unused == set()


def test_the_german_texts_are_those_of_the_desktop_app() -> None:
    table = (ASSETS / "german.js").read_text("utf-8").partition("NAMES = {")[0]
    texts = dict(re.findall(r'^ {2}"([^"]+)":\s+"([^"]+)"', table, re.MULTILINE))
    translations: dict[str, set[str]] = {}
    for _, source, german in desktop_texts():
        translations.setdefault(source.replace("&", ""), set()).add(german.replace("&", ""))
    # These are about other things there: parts of a network, and a quota.
    shared = texts.keys() & translations.keys() - {"None", "Share"}
    assert len(shared) > 40
    assert {text: texts[text] for text in shared if texts[text] not in translations[text]} == {}


def test_the_german_names_of_labels_and_models_are_those_of_the_desktop_app() -> None:
    table = (ASSETS / "german.js").read_text("utf-8").partition("NAMES = {")[2]
    names = {
        bare or quoted: german
        for quoted, bare, german in re.findall(r'(?:"([^"]+)"|(\w+)): "([^"]+)"', table)
    }
    translations = {
        source: german for context, source, german in desktop_texts() if context in ("Labels", "Titles")
    }
    cards = [json.loads(path.read_text("utf-8")) for path in BUNDLED.glob("*/*/card.json")]
    assert cards
    for card in cards:
        for name in [*card["labels"], card["title"].partition(":")[0]]:
            assert names.get(name, name) == translations.get(name, name)


def desktop_texts() -> list[tuple[str, str, str]]:
    """Return context, English and German text of the desktop app's messages."""
    tree = ElementTree.parse(Path(desktop.__file__).parent / "translations" / "lectern_de.ts")
    return [
        (context.findtext("name", ""), message.findtext("source", ""), message.findtext("translation", ""))
        for context in tree.iter("context")
        for message in context.iter("message")
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colours_have_enough_contrast(theme: str) -> None:
    # The ratios of the Web Content Accessibility Guidelines 2.2: 4.5 for text, 3 for parts.
    css = (ASSETS / "tokens.css").read_text("utf-8")
    block = css.split(':root[data-theme="dark"]')[theme == "dark"]
    colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block.partition("}")[0]))
    for name in ("ink", "muted", "accent", "doubt", "error"):
        for ground in ("paper", "surface"):
            assert contrast(colors[name], colors[ground]) >= 4.5, (name, ground)
    assert contrast(colors["on-accent"], colors["accent"]) >= 4.5
    for name in ("line", "doubt-fill", "second"):
        assert contrast(colors[name], colors["surface"]) >= 3, name


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2, relative luminance)."""

    def luminance(color: str) -> float:
        parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
