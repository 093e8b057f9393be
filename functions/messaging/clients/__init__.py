"""The AWS clients of a deployed function, each made once per container."""
