"""Random Clarity values and transactions: from Hypothesis, which shrinks them, or from a seed, which is faster."""
