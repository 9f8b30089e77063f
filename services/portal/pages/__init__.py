"""The pages of the portal, one module for each topic."""

from services.portal.pages import login

PAGES = (login.router,)
"""In the order in which their routes are tried."""
