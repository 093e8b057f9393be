"""One-time codes: how a code is derived, and the texts that carry it."""
