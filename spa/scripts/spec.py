"""Print the API's OpenAPI 2 document as the application gives it, without a server."""

import json
import sys
from types import SimpleNamespace

from api import create_app

app = create_app(SimpleNamespace(config=SimpleNamespace(threads=1, k=3)))
json.dump(app.test_client().get("/api/v1/swagger.json").json, sys.stdout, indent=1)
