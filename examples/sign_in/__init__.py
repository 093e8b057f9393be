"""A sign-in page with a code: `__main__.py` is its backend, `index.html` its page."""
