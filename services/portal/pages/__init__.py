"""The pages of the portal, one module for each topic."""

from services.portal.pages import apply, case_acts, cases, catalogue, login, start

PAGES = (
    login.router,
    start.router,
    catalogue.router,
    apply.router,
    cases.router,
    case_acts.router,
)
"""In the order in which their routes are tried."""
