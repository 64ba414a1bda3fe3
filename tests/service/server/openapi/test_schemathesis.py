"""Tests that requests generated from the OpenAPI document get the documented responses, and no 5xx.

By hand, schemathesis runs all its phases with more requests; ``tests/README.md`` shows the command.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[4]
_REQUESTS = "5"  # for each operation


def test_generated_requests_get_documented_responses(server: Any, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    config = ROOT / "tests/fuzzing/schemathesis.toml"
    words = ["--config-file", str(config), "run", f"{server.url}/docs.json"]
    words += ["--phases", "fuzzing", "--max-examples", _REQUESTS, "--seed", "1", "--no-color"]
    done = subprocess.run([program, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in server.log()
