"""Requests find their routes, and paths that callers make up do not fill the memory."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.server.pipeline.errors import RequestError
from service.server.pipeline.router import Router


async def _endpoint(request: Request) -> Response:
    return Response()


@pytest.fixture
def router() -> Router:
    return Router(
        [
            Route("/models/{name}", _endpoint, methods=["POST"]),
            Route("/models/{name}", _endpoint, methods=["GET"]),
            Route("/models", _endpoint, methods=["GET"]),
        ]
    )


def _scope(method: str, path: str) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path}


def test_a_path_leads_to_the_same_route_each_time_with_parameters_of_its_own(router: Router) -> None:
    for _ in range(2):
        for name in ("mnist", "imdb"):
            scope = _scope("POST", f"/models/{name}")
            route = router.find(scope)
            assert route is not None
            assert route.path_format == "/models/{name}"
            assert scope["path_params"] == {"name": name}
            scope["path_params"]["name"] = "changed by whoever got it"


def test_what_is_not_ours_is_none(router: Router) -> None:
    assert router.find(_scope("GET", "/nothing")) is None
    assert router.find(_scope("GET", "/nothing")) is None


def test_a_wrong_method_is_refused_each_time_with_those_that_there_are(router: Router) -> None:
    for _ in range(2):
        with pytest.raises(RequestError) as refused:
            router.find(_scope("DELETE", "/models/mnist"))
        assert refused.value.headers["Allow"] == "GET, HEAD, POST"


def test_only_so_many_paths_are_remembered(router: Router) -> None:
    for number in range(2000):
        assert router.find(_scope("GET", f"/models/{number}")) is not None
    assert len(router._known) <= 512
