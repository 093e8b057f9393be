"""The provider simulator: the channels' provider APIs and their receipts, on this machine."""
