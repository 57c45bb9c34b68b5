"""Random Clarity values and transactions: by Hypothesis, which shrinks, and from a seed, which is fast."""
