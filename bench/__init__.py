"""The benchmark: what the local stack carries, how fast it is, and what a message costs on AWS."""
