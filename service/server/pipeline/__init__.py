"""The request pipeline: request id, API key, limits, deadline, error responses, access log, metrics."""
