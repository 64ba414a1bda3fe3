"""The router finds the route of each request, and keeps nothing that a client sends."""

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
            Route("/models/{name}/versions/{version}", _endpoint, methods=["POST"]),
            Route("/models", _endpoint, methods=["GET"]),
            Route("/", _endpoint, methods=["GET"]),
        ]
    )


def _scope(method: str, path: str) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path}


def test_each_request_has_path_parameters_of_its_own(router: Router) -> None:
    for _ in range(2):
        for name in ("mnist", "imdb"):
            scope = _scope("POST", f"/models/{name}")
            route = router.find(scope)
            assert route is not None
            assert route.path_format == "/models/{name}"
            assert scope["path_params"] == {"name": name}
            scope["path_params"]["name"] = "changed by the endpoint"


def test_an_unknown_path_has_no_route(router: Router) -> None:
    assert router.find(_scope("GET", "/nothing")) is None
    assert router.find(_scope("GET", "/nothing")) is None


def test_a_wrong_method_is_refused_with_the_allowed_ones(router: Router) -> None:
    for _ in range(2):
        with pytest.raises(RequestError) as refused:
            router.find(_scope("DELETE", "/models/mnist"))
        assert refused.value.headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("path", "template", "parameters"),
    [
        ("/", "/", {}),
        ("/models", "/models", {}),
        ("/models/a%2fb", "/models/{name}", {"name": "a%2fb"}),
        ("/models/é", "/models/{name}", {"name": "é"}),
    ],
)
def test_every_template_is_found(
    router: Router, path: str, template: str, parameters: dict[str, str]
) -> None:
    scope = _scope("GET", path)
    route = router.find(scope)
    assert route is not None
    assert (route.path_format, scope["path_params"]) == (template, parameters)


@pytest.mark.parametrize(
    "path", ["", "models", "/models/", "//", "/models//versions/1", "/models/a/b", "/models\n"]
)
def test_similar_paths_are_not_found(router: Router, path: str) -> None:
    assert router.find(_scope("GET", path)) is None


def test_no_path_of_a_client_is_kept(router: Router) -> None:
    router.find(_scope("GET", "/models/first"))
    before = _size(router)
    for number in range(100):
        router.find(_scope("GET", f"/models/{number}"))
        assert router.find(_scope("GET", f"/{number}")) is None
    assert _size(router) == before


def _size(router: Router) -> int:
    """Return the number of objects that the router holds."""
    return sum(len(paths) + sum(len(path.routes) for path in paths) for paths in router._paths.values())
