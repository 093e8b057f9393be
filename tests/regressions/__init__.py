"""What went wrong with AWS's sample, and does not go wrong here."""
