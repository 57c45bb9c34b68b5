"""The five contracts, typed: one module each, named as on chain, with its models, errors and events."""

from der_client.contracts.asset_verification import AssetVerification
from der_client.contracts.grid_integration import GridIntegration
from der_client.contracts.market_participation import MarketParticipation
from der_client.contracts.production_tracking import ProductionTracking
from der_client.contracts.settlement import Settlement

CONTRACTS = (AssetVerification, ProductionTracking, GridIntegration, MarketParticipation, Settlement)
"""In the order in which they are deployed: each calls only those before it."""

__all__ = [
    "CONTRACTS",
    "AssetVerification",
    "GridIntegration",
    "MarketParticipation",
    "ProductionTracking",
    "Settlement",
]
