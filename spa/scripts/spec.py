"""Print the API's OpenAPI document as the application gives it, without a server."""

import json
import sys
from unittest.mock import MagicMock

from api import create_app

gateway = MagicMock()  # nothing of it is asked for a description
gateway.config.threads = 1
gateway.config.api_url, gateway.config.cors_origins = "", ()
json.dump(create_app(gateway).test_client().get("/api/v1/openapi.json").json, sys.stdout, indent=1)
