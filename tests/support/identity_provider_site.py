"""What the identity provider of the tests configures of Django OAuth Toolkit: its addresses and its claims.

Only its own process imports this: Django must be set up before.
"""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView
from django.urls import include, path
from oauth2_provider.oauth2_validators import OAuth2Validator

urlpatterns = [
    path("login/", LoginView.as_view()),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]


class Claims(OAuth2Validator):  # type: ignore[misc]
    """What is said of a person stands in a file; `aud`, `azp` and `nonce` are mistakes of a test."""

    oidc_claim_scope = {  # noqa: RUF012 - as the class that it replaces declares it
        **OAuth2Validator.oidc_claim_scope,
        "groups": "profile",
        "aud": "openid",
        "azp": "openid",
        "nonce": "openid",
    }

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        """The claims of the person who logs in."""
        people = json.loads(Path(settings.PEOPLE).read_text(encoding="utf-8"))
        said: dict[str, Any] = people.get(request.user.get_username(), {})
        return said
