"""What a person does to a running stack, here or on AWS: whichever the environment points to."""
