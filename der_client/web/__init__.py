"""Pages and an API over an index: plants, production, market, money and certificates, in a browser. Read-only.

FastAPI and Jinja2 on the server; styles, one small script and charts are part of the package, and nothing is loaded
from elsewhere. `create_app` makes an ASGI application; ``der serve`` runs it.
"""

from der_client.stacks.extras import require_extra

with require_extra("web"):
    from der_client.web.app import create_app
    from der_client.web.service import serve

__all__ = ["create_app", "serve"]
