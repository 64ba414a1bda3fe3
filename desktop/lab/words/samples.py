"""Reviews to begin with, written for the lab."""

PRAISE = (
    "What a wonderful film. The story is simple, the actors are great, and the music stays with you for "
    "days. One of the best films of the year."
)
REJECTION = (
    "I wanted to like it, but this movie is a waste of time. The plot makes no sense, the acting is "
    "awful, and the jokes are not funny."
)
MIXED = (
    "The first half is slow and a little boring. The second half is much better than I expected, with a "
    "strong ending and a perfect performance by the lead."
)
NEGATION = (
    "This is not a bad film, not bad at all. It is not the worst of its kind. I would not say that it is "
    "good, but I did not regret a minute."
)
