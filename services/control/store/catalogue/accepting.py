"""What the adopted policy accepts in the catalogue now."""

from sqlalchemy import Connection

from services.control.catalogue.parameters import CatalogueRules
from services.control.docket.catalogue_rules import catalogue_rules
from services.control.store.cases.policies import adopted


def rules_now(connection: Connection, otherwise: CatalogueRules | None = None) -> CatalogueRules:
    """The parameters of the checks under the adopted policy.

    Args:
        connection: inside the caller's transaction.
        otherwise: what counts where its packs say nothing; by default the narrowest that regulations name.
    """
    found = adopted(connection)
    return catalogue_rules(None if found is None else found.policy, otherwise or CatalogueRules())
