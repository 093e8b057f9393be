"""Tests of what runs on this machine: launcher, local AWS, carriers, and the whole path."""
