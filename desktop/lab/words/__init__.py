"""The page that shows what each word of a review adds to its prediction."""
