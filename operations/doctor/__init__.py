"""`make doctor`: reads the account and says what it allows and what to fix, a file per service."""
