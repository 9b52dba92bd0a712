"""The API against its own description: Schemathesis makes requests of the OpenAPI document and looks at the answers.

`make fuzz` does the same for longer: FUZZ_S seconds, with the seed FUZZ_SEED.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from processes import RingOfProcesses, make_wav

SECONDS = int(os.environ.get("FUZZ_S", "40"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
EXAMPLES = 3 if SECONDS < 60 else 100
# It ends its own login, never ends, or ends the node.
LEFT_OUT = ("/auth/logout", "/me/sessions/{id}", "/events", "/ring/nodes/{id}/leave", "/ring/nodes/{id}/expel")
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
          "response_headers_conformance", "ignored_auth")  # fmt: skip


@pytest.mark.timeout(SECONDS + 120)
def test_answers_are_what_the_documentation_says(tmp_path: Path) -> None:
    ring = RingOfProcesses(tmp_path, 1, threads=64)
    try:
        ring.start()
        (node,) = ring.nodes
        for n in range(3):
            node.upload(make_wav(tmp_path / f"song{n}.wav", 100_000, n))
        node.request("POST", "/playlists", {"name": "Evening"})
        url = f"https://127.0.0.1:{node.api_port}/api/v1"
        command = [
            sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--url", url, "--seed", str(SEED),
            "--tls-verify", str(node.home / "tls" / "ca.crt"), "--header", f"Authorization: Bearer {node.token}",
            "--max-time", str(SECONDS), "--max-examples", str(EXAMPLES), "--checks", ",".join(CHECKS),
            "--workers", "1",  # Hypothesis parses lambdas, and ast.parse fails in two threads at once on CPython 3.11
            "--phases", "examples,coverage,fuzzing", "--no-color", "--no-shrink", "--generation-database", "none",
            "--request-timeout", "30", "--warnings", "off",
        ]  # fmt: skip
        for path in LEFT_OUT:
            command += ["--exclude-path", path]
        hooks = {"SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("schemathesis_hooks.py"))}
        ran = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, timeout=SECONDS + 90, env=os.environ | hooks
        )
        assert ran.returncode == 0, f"seed {SEED}:\n{ran.stdout[-20_000:]}\n{ran.stderr[-2000:]}\n{node.log[-3000:]}"
        made = re.search(r"(\d+) generated", ran.stdout)
        assert made and int(made[1]) > 0, ran.stdout
        assert json.loads(node.request("GET", "/health")[2])["status"] == "ok"
        assert node.request("GET", "/me")[0] == 200, (
            "Schemathesis ended its own login: what came after it shows nothing"
        )
        print(ran.stdout[-1500:])
    finally:
        ring.close()
