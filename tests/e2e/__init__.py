"""Tests of what runs on this machine: launcher, local AWS, simulator, and the whole path."""
