"""Tests that the compose file, the container file and the settings match."""

import re
from pathlib import Path

import yaml

from service.settings import Settings, variable

DEPLOY = Path(__file__).resolve().parents[3] / "service" / "deploy"
SERVER = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["lectern"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def test_the_image_is_built_from_the_container_file() -> None:
    context = (DEPLOY / SERVER["build"]["context"]).resolve()
    assert (context / SERVER["build"]["dockerfile"]) == DEPLOY / "Dockerfile"
    assert (context / ".dockerignore").is_file()


def test_the_port_of_the_server_is_published() -> None:
    (exposed,) = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    assert SERVER["ports"] == [f"{exposed}:{exposed}"]


def test_variables_are_settings_and_the_grace_period_covers_running_requests() -> None:
    known = {variable(name) for name in Settings.__struct_fields__}
    assert set(SERVER["environment"]) <= known
    settings = Settings.from_environment(SERVER["environment"])
    assert int(SERVER["stop_grace_period"].removesuffix("s")) > settings.timeout_s


def test_the_server_has_no_rights_and_writes_only_to_tmp() -> None:
    assert SERVER["read_only"] is True
    assert SERVER["tmpfs"] == ["/tmp"]
    assert SERVER["cap_drop"] == ["ALL"]
    assert SERVER["security_opt"] == ["no-new-privileges:true"]
