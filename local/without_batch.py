"""Importing this before moto's interpreter leaves moto's AWS Batch out, 100 MB of memory.

The interpreter needs one enumeration of `moto.batch.utils`. The package imports its models, and
those import moto's EC2 with the tables of all instance types. No task of a workflow runs a job.
"""

import sys
from types import ModuleType
from typing import Any

models: Any = ModuleType("moto.batch.models")
models.batch_backends = {}
sys.modules.setdefault(models.__name__, models)
