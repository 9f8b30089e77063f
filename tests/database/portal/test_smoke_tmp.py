import pytest
from services.control.accounts.roles import Role
from tests.support.portal import Portal
def test_smoke(control_database):
    portal = Portal(control_database)
    reader = portal.reader(Role.PROVIDER, Role.CONSUMER)
    bad = []
    for role in ((Role.PROVIDER, Role.CONSUMER), (Role.AUTHORITY,), (Role.OPERATOR,), (Role.AUDITOR,), (Role.OVERSEER,)):
        reader = portal.reader(*role, department="data_bureau")
        for path in ("/", "/tasks", "/inbox", "/catalogue", "/catalogue/new", "/catalogue/import", "/apply", "/apply?resource=population.person.v1", "/cases", "/policy", "/policy?days=5", "/account", "/admin/people", f"/admin/people/{reader.person.id}", "/admin/departments", "/admin/departments/new", "/admin/departments/police", "/nothing"):
            try:
                page = reader.open(path)
            except Exception as e:
                bad.append((role, path, repr(e)))
                continue
            print(role[0], path, page.status, page.path, page.faults[:3])
            if page.status >= 500: bad.append((role, path, page.text[:300]))
    print(bad)
    assert not bad
