"""Tests, from the lowest place that can catch a fault to the whole stack."""
