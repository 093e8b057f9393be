"""What the page `Phones` shows of the simulated recipients."""
