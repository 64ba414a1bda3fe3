"""The OpenAPI document, derived from the endpoints and the types of their bodies."""
