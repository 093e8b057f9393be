"""Commands for operating a stack, local or on AWS: the one that the environment points to."""
