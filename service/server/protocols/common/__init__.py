"""What several protocols need: endpoints, request bodies, responses and tensors."""
