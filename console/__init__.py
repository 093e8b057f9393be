"""The console: a web application that shows messages, their attempts, and why each step ran."""
