"""Writes the template: `python -m infra.app`, which the CDK command line runs as well."""

import json
import os
import subprocess
import sys
from pathlib import Path

from aws_cdk import App

from infra import bytecode, nag, regions
from infra.config import Config, WrongParameter
from infra.layer import third_party_code
from infra.stack import Throughline

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Synthesizes into `cdk.out`, or into the folder that the command line names."""
    # The command line passes cdk.json's context and -c in the environment, which takes precedence.
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context=context, outdir=os.environ.get("CDK_OUTDIR", str(ROOT / "cdk.out")))
    stack = Throughline(
        app,
        config=Config.from_context(app.node.get_all_context()),
        third_party=third_party_code(),
    )
    # The command line names the Region it deploys to, and the template remains one for any.
    regions.check(stack, os.environ.get("CDK_DEFAULT_REGION"))
    nag.check(app)
    app.synth()
    if not bytecode.compiler():
        sys.stderr.write(bytecode.UNAVAILABLE)


if __name__ == "__main__":
    try:
        main()
    except (WrongParameter, regions.UnsupportedRegion) as wrong:
        sys.exit(str(wrong))
    except subprocess.CalledProcessError:
        sys.exit("The functions' third-party code could not be installed; pip's message is above.")
