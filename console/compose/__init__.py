"""A request as a form: how it is filled, read, judged, planned and sent."""
