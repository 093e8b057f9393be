"""What happened to a message, in words: why each step ran, and what ended or skipped it."""
