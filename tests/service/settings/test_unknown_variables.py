"""Misspelt variables of settings."""

from service.settings import unknown_variables


def test_unknown_variables_are_found_with_the_setting_of_a_similar_name() -> None:
    environment = {
        "LECTERN_MAX_BATCHES": "4",
        "LECTERN_PROT": "3001",
        "LECTERN_SOMETHING_ELSE": "1",
        # The variables below are known, or no business of the server.
        "LECTERN_MAX_BATCH": "4",
        "LECTERN_API_KEY": "of the client",
        "LECTERN_DATA": "/data",
        "PORT": "80",
        # Kubernetes sets these for Services named lectern and lectern-metrics.
        "LECTERN_SERVICE_HOST": "10.96.0.12",
        "LECTERN_SERVICE_PORT": "80",
        "LECTERN_SERVICE_PORT_HTTP": "80",
        "LECTERN_PORT_80_TCP": "tcp://10.96.0.12:80",
        "LECTERN_PORT_80_TCP_PROTO": "tcp",
        "LECTERN_PORT_80_TCP_PORT": "80",
        "LECTERN_PORT_80_TCP_ADDR": "10.96.0.12",
        "LECTERN_METRICS_SERVICE_HOST": "10.96.0.13",
        "LECTERN_METRICS_PORT": "tcp://10.96.0.13:80",
    }
    assert unknown_variables(environment) == {
        "LECTERN_MAX_BATCHES": "LECTERN_MAX_BATCH",
        "LECTERN_PROT": "LECTERN_PORT",
        "LECTERN_SOMETHING_ELSE": None,
    }
