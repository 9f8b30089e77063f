"""The pages of the portal, one module for each topic."""

from services.portal.pages import (
    account,
    admin,
    apply,
    case_acts,
    cases,
    catalogue,
    catalogue_editing,
    documents,
    importing,
    inbox,
    login,
    policy,
    start,
)

PAGES = (
    login.router,
    start.router,
    catalogue_editing.router,
    importing.router,
    catalogue.router,
    apply.router,
    case_acts.router,
    documents.router,
    cases.router,
    inbox.router,
    policy.router,
    account.router,
    admin.router,
)
"""In the order in which their routes are tried."""
