"""The HTTP border: what a request may be, and what an answer shows."""
