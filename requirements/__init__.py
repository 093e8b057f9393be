"""What is installed, to the version and the hash, and whether something is known against it."""
