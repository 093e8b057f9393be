"""Runs the synthesized template on this machine: launcher, local AWS, engine and simulator."""
