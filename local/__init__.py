"""The local stack: the launcher, and the emulators that run the synthesized template."""
