"""What must hold of the template that is deployed."""
