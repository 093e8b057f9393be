"""Tests of one-time codes: derivation, texts, rendering."""
