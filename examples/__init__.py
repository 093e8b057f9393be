"""Code to copy: how a product uses Throughline."""
