"""Schemathesis runs its checks on requests of every kind to the running API, valid or not.

`CHAOS=long` makes thousands at random, by `SEED`; otherwise the requests are the same each time.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import ROOT, Throughline

# All checks but one (https://schemathesis.readthedocs.io/en/stable/reference/checks/). It expects
# that a request which the schema allows is accepted. The schema cannot say that a step lacks a
# recipient, content or a sender, which can be in the step, in the request or in the stack, nor that
# a key was used before; tests/contracts/test_openapi.py and test_openapi_codes.py list each such
# rule with a request.
EXCLUDED = "positive_data_acceptance"

LONG = os.environ.get("CHAOS") == "long"
# Per operation, besides the phases `examples` and `coverage`, which make about 2,000 requests.
EXAMPLES = 900 if LONG else 25
LEAST = 10_000 if LONG else 2_000
# In two threads, Python 3.11.7 and older sometimes fail to parse source code, as Hypothesis does:
# github.com/python/cpython/issues/106905
WORKERS = "1"
ORDER = ["--seed", os.environ["SEED"]] if LONG else ["--generation-deterministic"]


def test_every_response_is_one_that_the_description_has(
    throughline: Throughline, tmp_path: Path
) -> None:
    command = Path(sys.executable).with_name("schemathesis")
    url = throughline.environment["THROUGHLINE_API_URL"].removesuffix("/messages")
    key = throughline.environment["THROUGHLINE_API_KEY"]
    done = subprocess.run(
        [
            *(
                str(command),
                "run",
                str(ROOT / "openapi.yaml"),
                "--url",
                url,
                "--header",
                f"x-api-key: {key}",
            ),
            *("--exclude-checks", EXCLUDED, "--max-examples", str(EXAMPLES), *ORDER),
            *("--suppress-health-check", "all", "--warnings", "off", "--workers", WORKERS),
        ],
        cwd=tmp_path,  # where it keeps what failed, to begin with it in the next run
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated
    assert int(generated[1]) >= LEAST
