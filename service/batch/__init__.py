"""Predicts large collections of pictures or texts, shard by shard, into files."""
