"""Many clients on a devnet that is killed and started again: is anything lost, or done twice?"""
