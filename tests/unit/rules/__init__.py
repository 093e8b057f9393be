"""Tests of the modules that decide about messages, without AWS."""
