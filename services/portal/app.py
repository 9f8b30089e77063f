"""The whole web process: the API's routes and the pages of the portal over the same parts."""

from collections.abc import Mapping

from fastapi import FastAPI

from services.api.app import create_api
from services.api.parts import Parts
from services.portal import static_files
from services.portal.chosen_language import ChosenLanguage
from services.portal.pages import PAGES
from services.portal.pages.problem import problem_page
from services.portal.static_files import Served


def create_app(parts: Parts, others: Mapping[str, bytes] | None = None) -> FastAPI:
    """The app.

    Args:
        parts: what requests are answered with.
        others: the browser's libraries by name (see ``vendor``); pages work without them.
    """
    app = create_api(parts)
    app.state.problem_page = problem_page
    app.state.served = Served(others or {})
    app.add_middleware(ChosenLanguage)
    app.include_router(static_files.router)
    for router in PAGES:
        app.include_router(router)
    return app
