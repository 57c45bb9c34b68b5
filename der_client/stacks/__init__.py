"""The Stacks SDK: Clarity values, keys, transactions, RPC, accounts, typed contracts. Knows nothing of energy."""
