"""The pages of the portal, one module for each topic."""

from services.portal.pages import catalogue, login, start

PAGES = (login.router, start.router, catalogue.router)
"""In the order in which their routes are tried."""
