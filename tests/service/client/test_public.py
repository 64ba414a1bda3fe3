"""The public names of the Python SDK."""

import service.client


def test_public_names_are_part_of_the_interface() -> None:
    assert sorted(service.client.__all__) == [
        "AsyncClient",
        "Client",
        "ClientError",
        "ConnectionFailed",
        "DEFAULT_RETRIES",
        "DEFAULT_TIMEOUT_S",
        "DEFAULT_URL",
        "Inputs",
        "ModelSummary",
        "RequestRefused",
        "UnexpectedAnswer",
    ]
