"""Finds misspelt variables: those that begin like a setting, and that nothing reads."""

import difflib
import re
from collections.abc import Mapping

from service.settings.settings import Settings
from service.settings.variables import PREFIX, SERVICE_URL, variable

# Variables of the client and of training, which are no settings of the server.
_OTHER_VARIABLES = ("LECTERN_API_KEY", "LECTERN_DATA")
# Kubernetes sets such variables in each pod for a Service named lectern, lectern-grpc and so on.
_SERVICE_LINK = re.compile(
    r"LECTERN_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)


def unknown_variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return the ``LECTERN_*`` variables that nothing reads.

    Args:
        environment: Variables by name.

    Returns:
        For each of them the known variable with the most similar name, or None if there is no similar one.
        Variables that Kubernetes sets for its Services are not among them.
    """
    known = [*map(variable, Settings.__struct_fields__), *_OTHER_VARIABLES]
    unknown = [
        name
        for name, text in sorted(environment.items())
        if name.startswith(PREFIX)
        and name not in known
        and not _SERVICE_LINK.fullmatch(name)
        and not SERVICE_URL.fullmatch(text)
    ]
    # Without the prefix, which would make all names similar.
    endings = {name.removeprefix(PREFIX): name for name in known}
    similar = (difflib.get_close_matches(name.removeprefix(PREFIX), endings, n=1) for name in unknown)
    return {name: endings[found[0]] if found else None for name, found in zip(unknown, similar, strict=True)}
