"""The benchmark: throughput and latency of the local stack, and the cost of a message on AWS."""
