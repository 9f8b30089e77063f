"""The published shape of a webhook's body."""

import json
from pathlib import Path
from typing import Any

SHAPE: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "docs" / "notices" / "webhook.schema.json").read_text(encoding="utf-8")
)
