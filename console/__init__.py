"""The console: a small web application that shows messages, how they went, and why."""
