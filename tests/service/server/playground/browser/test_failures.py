"""The playground when the server is gone, busy or slow, wants a key, or the browser lacks something."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Request, Route, expect

Open = Callable[..., Any]
Server = Any
SEVEN = ((0.3, 0.25), (0.5, 0.24), (0.7, 0.25), (0.62, 0.45), (0.53, 0.65), (0.47, 0.85))
PREDICT = re.compile(r"/models/mnist/versions/\d+$")
FAILED = "Failed to load resource"  # Chromium reports each of these in the console


def test_the_server_is_gone_in_mid_stroke_and_comes_back(open_page: Open) -> None:
    playground = open_page(allowed=FAILED)
    page = playground.page
    banner = page.locator("#banner")
    page.mouse.move(*playground.point(*SEVEN[0]))
    page.mouse.down()
    page.mouse.move(*playground.point(*SEVEN[2]), steps=6)
    expect(playground.headline).not_to_be_empty()
    place = playground.pad.bounding_box()
    page.context.set_offline(True)
    for x, y in SEVEN[3:]:
        page.mouse.move(*playground.point(x, y), steps=6)
    expect(banner).to_contain_text("The server does not respond.")
    # Nothing moves under the pen, and the old answer does not look like one for this drawing.
    assert playground.pad.bounding_box() == place
    expect(page.locator("#answer")).to_have_class(re.compile("stale"))
    page.mouse.up()
    page.context.set_offline(False)
    # Nobody touches the page: it goes on by itself, and the stroke is not lost.
    playground.wait_for_answer("7")
    expect(banner).to_be_hidden()
    expect(page.locator("#answer")).not_to_have_class(re.compile("stale"))


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_banner_leaves_the_pad_and_the_tabs_free(open_page: Open, width: int) -> None:
    playground = open_page(allowed=FAILED, viewport={"width": width, "height": 740}, locale="de")
    page = playground.page
    expect(playground.detail).to_have_text("Zeichnen Sie eine Ziffer")
    page.context.set_offline(True)
    playground.draw(SEVEN)
    expect(page.locator("#banner")).to_be_visible()
    box = page.locator("#banner").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= playground.pad.bounding_box()["y"]
    page.locator("#text-tab").click()
    expect(page.locator("#text")).to_be_visible()


def test_the_page_says_when_an_answer_is_on_its_way(open_page: Open) -> None:
    held: list[Route] = []
    playground = open_page()
    page = playground.page
    answer = page.locator("#answer")
    expect(playground.detail).to_have_text("Draw a digit")

    def hold(route: Route) -> None:
        held.append(route) if route.request.method == "POST" else route.fallback()

    page.route(PREDICT, hold)
    playground.action("draw", "example").click()
    expect(playground.detail).to_have_text("Reading…")
    held.pop().continue_()
    playground.wait_for_answer("3")
    expect(playground.detail).not_to_have_text("Reading…")
    # The answer for another drawing is greyed meanwhile.
    playground.draw([(0.3, 0.5), (0.4, 0.5)])
    expect(answer).to_have_class(re.compile("stale"))
    expect(playground.headline).to_have_text("3")
    page.unroute(PREDICT)
    playground.draw([(0.4, 0.5), (0.5, 0.5)])
    expect(answer).not_to_have_class(re.compile("stale"))


def test_a_page_whose_server_starts_later_goes_on_by_itself(open_page: Open) -> None:
    def prepare(page: Any) -> None:
        page.route("**/models", lambda route: route.abort() if len(failures) < 1 else route.fallback())
        page.on("requestfailed", lambda request: failures.append(request))

    failures: list[Any] = []
    playground = open_page(allowed=FAILED, prepare=prepare)
    expect(playground.page.locator("#banner")).to_be_visible()
    expect(playground.page.locator("#banner")).to_be_hidden()
    playground.draw(SEVEN)
    playground.wait_for_answer("7")


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (429, "overloaded", "too much to do"),
        (429, "rate_limited", "used up its requests"),
        (503, "not_ready", "starting or stopping"),
        (502, "", "returned an error"),
        (502, {"message": "no upstream"}, "returned an error: no upstream"),
    ],
)
def test_a_busy_server_is_asked_again(open_page: Open, status: int, code: Any, text: str) -> None:
    answered = []

    def refuse_twice(route: Route) -> None:
        answered.append(route.request.method == "POST")
        if sum(answered) > 2 or route.request.method != "POST":
            return route.fallback()
        # Proxies answer with pages, or with JSON of their own.
        body = json.dumps({"error": "busy", "code": code, "request_id": "1"}) if code else "<html>"
        if isinstance(code, dict):
            body = json.dumps({"error": code})
        return route.fulfill(status=status, body=body, headers={"Retry-After": "1"})

    playground = open_page(allowed=FAILED)
    expect(playground.detail).to_have_text("Draw a digit")
    playground.page.route(
        PREDICT, lambda route: refuse_twice(route) if route.request.method == "POST" else route.fallback()
    )
    playground.draw(SEVEN)
    expect(playground.page.locator("#banner")).to_contain_text(text)
    playground.wait_for_answer("7")
    expect(playground.page.locator("#banner")).to_be_hidden()


def test_of_slow_answers_the_newest_wins_and_older_requests_are_aborted(open_page: Open) -> None:
    held: list[Route] = []
    aborted: list[Request] = []
    playground = open_page()
    page = playground.page
    expect(playground.detail).to_have_text("Draw a digit")

    def hold_first(route: Route) -> None:
        if route.request.method == "POST" and not held:
            held.append(route)
        else:
            route.fallback()

    page.on("requestfailed", lambda request: aborted.append(request))
    page.route(PREDICT, hold_first)
    playground.draw([(0.5, 0.2), (0.5, 0.8)])
    playground.action("draw", "clear").click()
    playground.draw(SEVEN)
    playground.wait_for_answer("7")
    assert held[0].request in aborted
    assert {request.failure for request in aborted} == {"net::ERR_ABORTED"}


def test_a_request_without_an_answer_is_replaced_by_a_newer_one(open_page: Open) -> None:
    held: list[Route] = []
    playground = open_page()
    expect(playground.detail).to_have_text("Draw a digit")

    def hold_first(route: Route) -> None:
        if route.request.method == "POST" and not held:
            held.append(route)
        else:
            route.fallback()

    playground.page.route(PREDICT, hold_first)
    playground.draw(SEVEN)  # its first points are sent, and never answered
    playground.wait_for_answer("7")


@pytest.fixture(scope="module")
def keyed(start_server: Callable[..., Any]) -> Iterator[Server]:
    """A server with an API key."""
    with start_server(API_KEYS="alpha") as running:
        yield running


def test_a_key_is_asked_for_once_and_kept_in_the_tab_alone(open_page: Open, keyed: Server) -> None:
    playground = open_page(url=keyed.url, allowed=FAILED)
    page = playground.page
    dialog = page.locator("#key")
    expect(dialog).to_contain_text("The server requires an API key.")
    for wrong in ("wrong", "ключ😀"):  # No header can carry the second one.
        dialog.locator("input").fill(wrong)
        page.keyboard.press("Enter")
        expect(dialog).to_contain_text("does not accept this API key")
        expect(dialog.locator("input")).to_have_value("")
    dialog.locator("input").fill("alpha")
    dialog.get_by_text("Use key").click()
    expect(dialog).to_be_hidden()
    playground.draw(SEVEN)
    playground.wait_for_answer("7")
    page.reload()
    playground.wait_for_answer("7")
    expect(dialog).to_be_hidden()
    assert page.context.cookies() == []
    assert "alpha" not in page.evaluate("JSON.stringify({...localStorage}) + document.cookie + location.href")
    other = page.context.new_page()
    other.goto(keyed.url)
    expect(other.locator("#key")).to_be_visible()


def test_without_a_key_the_page_says_so_and_asks_again_on_demand(open_page: Open, keyed: Server) -> None:
    playground = open_page(url=keyed.url, allowed=FAILED)
    page = playground.page
    expect(page.locator("#key")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#banner")).to_contain_text("The server requires a valid API key.")
    page.locator("#banner button").click()
    page.locator("#key input").fill("alpha")
    page.keyboard.press("Enter")
    expect(page.locator("#banner")).to_be_hidden()
    playground.draw(SEVEN)
    playground.wait_for_answer("7")


def test_without_javascript_a_picture_can_be_uploaded(open_page: Open, data_folder: Path) -> None:
    playground = open_page(java_script_enabled=False)
    page = playground.page
    expect(page.locator("#app")).to_be_hidden()
    # What needs JavaScript is not offered.
    assert [part for part in page.locator("button").all_inner_texts() if part in ("Dark", "Light")] == []
    expect(page.locator("[data-action=theme]")).to_be_hidden()
    page.locator("input[name=file]").set_input_files(data_folder / "pictures" / "eight.png")
    page.get_by_role("button", name="mnist", exact=True).click()
    page.wait_for_url("**/models/mnist")
    assert json.loads(page.inner_text("body"))[0]["label"] == "8"


def test_the_page_works_without_storage(open_page: Open) -> None:
    def prepare(page: Any) -> None:
        page.add_init_script(
            "for (const name of ['localStorage', 'sessionStorage'])"
            "  Object.defineProperty(window, name, { get() { throw new DOMException('', 'Security') } });"
        )

    playground = open_page(prepare=prepare)
    playground.draw(SEVEN)
    playground.wait_for_answer("7")
    playground.page.locator("[data-action=theme]").click()
    expect(playground.page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_page_works_where_it_is_no_secure_context(open_page: Open) -> None:
    # Over plain HTTP from another machine, browsers leave out some functions.
    def prepare(page: Any) -> None:
        page.add_init_script(
            "delete PointerEvent.prototype.getCoalescedEvents; delete Navigator.prototype.clipboard;"
            "delete Crypto.prototype.subtle;"
        )

    playground = open_page(prepare=prepare)
    playground.draw(SEVEN)
    playground.wait_for_answer("7")


@pytest.fixture
def prefixed(server: Server) -> Iterator[str]:
    """The address of a proxy that serves the server below /lectern/."""

    class Proxy(BaseHTTPRequestHandler):
        def forward(self) -> None:
            if not self.path.startswith("/lectern/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept = {"accept", "content-type", "if-none-match"}
            headers = {name: value for name, value in self.headers.items() if name.lower() in kept}
            answer = httpx.request(
                self.command, server.url + self.path.removeprefix("/lectern"), content=body, headers=headers
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name not in ("content-encoding", "content-length", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = forward

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
        proxy.shutdown()
        thread.join()


def test_it_works_behind_a_path_prefix(open_page: Open, prefixed: str) -> None:
    playground = open_page("/lectern/", url=prefixed)
    playground.draw(SEVEN)
    playground.wait_for_answer("7")
    expect(playground.page.locator("#answer figure img")).to_be_visible()
    playground.page.get_by_role("link", name="API").click()
    expect(playground.page.get_by_role("link", name="Playground")).to_be_visible()
    playground.page.get_by_role("link", name="Playground").click()
    expect(playground.pad).to_be_visible()
