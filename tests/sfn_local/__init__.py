"""The workflow's paths in AWS's own Step Functions Local, each function's answer mocked."""
