"""The CDK app that defines the stack."""

import os

# Node 20 is enough for the CDK; its reminder to upgrade would precede every synthesis.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
