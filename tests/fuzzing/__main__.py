"""Fuzzes one reader of requests, guided by coverage: ``python tests/fuzzing picture -max_total_time=600``.

Needs the package atheris, which no other part of the project uses. Further options are libFuzzer's. An input
that makes the reader fail, hang or use too much memory is written to a file.
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("fuzzing needs atheris: uv pip install --python .venv atheris")

# Modules are instrumented when they are imported.
with atheris.instrument_imports(include=["service", "PIL", "starlette", "python_multipart", "msgspec"]):
    from fuzz_targets import REFUSALS, TARGETS
    from seeds import SEEDS

_LIMITS = ("-timeout=10", "-rss_limit_mb=2048", "-max_len=4096")


def main() -> None:
    """Run libFuzzer until it finds a fault or an option ends it."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python tests/fuzzing TARGET [OPTION]...; targets: {', '.join(TARGETS)}")
    name, options = sys.argv[1], sys.argv[2:]
    target = TARGETS[name]

    def read(data: bytes) -> None:
        with suppress(*REFUSALS):
            target(data)

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS[name]()):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        atheris.Setup([sys.argv[0], *_LIMITS, *options, corpus], read)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
