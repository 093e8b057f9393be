"""What messages cost: list prices, and how many parts an SMS has."""
