"""What the page `Phones` knows of the simulated carriers' recipients."""
