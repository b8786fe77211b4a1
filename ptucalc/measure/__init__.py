"""Calls to a deployment, and what they measure: the only place that sends prompts anywhere."""
