"""The local run's parts."""
