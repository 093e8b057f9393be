"""The AWS side: the CDK app that describes the stack."""

import os

# Node 20 is enough for the CDK; its reminder to upgrade would stand above every synthesis.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
