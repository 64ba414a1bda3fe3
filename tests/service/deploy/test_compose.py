"""Tests that the compose file, the container file and the settings match."""

import re
from pathlib import Path

import pytest
import yaml

from service.settings import Settings, variable

DEPLOY = Path(__file__).resolve().parents[3] / "service" / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVER = COMPOSE["services"]["lectern"]
MONITORING = {name: COMPOSE["services"][name] for name in ("prometheus", "grafana")}
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
    assert int(SERVER["stop_grace_period"].removesuffix("s")) > settings.drain_s + settings.timeout_s


def test_the_server_has_no_rights_and_writes_only_to_tmp() -> None:
    assert SERVER["read_only"] is True
    assert SERVER["tmpfs"] == ["/tmp"]
    assert SERVER["cap_drop"] == ["ALL"]
    assert SERVER["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", MONITORING)
def test_monitoring_starts_only_when_asked_and_serves_this_machine_alone(name: str) -> None:
    service = MONITORING[name]
    assert service["profiles"] == ["monitoring"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert re.fullmatch(r".+:v?\d+\.\d+\.\d+", service["image"])
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", MONITORING)
def test_monitoring_mounts_files_that_exist_and_named_volumes(name: str) -> None:
    for volume in MONITORING[name]["volumes"]:
        source = volume.partition(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).is_file()
            assert volume.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


def test_prometheus_scrapes_the_server_and_grafana_asks_prometheus() -> None:
    monitoring = DEPLOY / "monitoring"
    configuration = yaml.safe_load((monitoring / "prometheus.yml").read_text())
    (scraped,) = configuration["scrape_configs"]
    assert scraped["static_configs"] == [{"targets": [f"lectern:{SERVER['ports'][0].partition(':')[0]}"]}]
    (source,) = yaml.safe_load((monitoring / "grafana" / "datasource.yml").read_text())["datasources"]
    assert source["url"] == f"http://prometheus:{MONITORING['prometheus']['ports'][0].rpartition(':')[2]}"
    (provider,) = yaml.safe_load((monitoring / "grafana" / "dashboards.yml").read_text())["providers"]
    mounted = {volume.split(":")[1] for volume in MONITORING["grafana"]["volumes"]}
    home = MONITORING["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in mounted
    assert str(Path(home).parent) == provider["options"]["path"]
