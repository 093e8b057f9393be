"""What two rooms must agree on."""
