"""What tests of several folders share: a mocked AWS, the simulator on a port, recorded messages."""
