"""The pages of the portal, one module for each topic."""

from services.portal.pages import (
    apply,
    audit,
    case_acts,
    cases,
    catalogue,
    conflicts,
    connectors,
    grants,
    login,
    operations,
    quarantine,
    start,
    stop,
    tickets,
    topics,
)

PAGES = (
    login.router,
    start.router,
    catalogue.router,
    apply.router,
    cases.router,
    case_acts.router,
    grants.router,
    stop.router,
    topics.router,
    quarantine.router,
    tickets.router,
    conflicts.router,
    operations.router,
    connectors.router,
    audit.router,
)
"""In the order in which their routes are tried."""
