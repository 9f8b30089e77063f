"""Asks the control plane's database whether its tables are what this program expects."""

from typing import Final

from services.control.store.database import Address, ControlDatabase
from services.control.store.errors import StoreError
from services.control.store.migrate import Standing, current
from services.doctor.finding import Finding, failure, note, ok
from services.doctor.patient import Patient
from services.stack.postgres import CONTROL, DOCTOR, DOCTOR_SECRET

CHECK: Final = "control plane"


def ask_tables(patient: Patient) -> list[Finding]:
    """How far the tables are migrated, asked by the doctor, who may read nothing else of them."""
    endpoints, file = patient.stack.endpoints(), patient.stack.context.secrets.path(DOCTOR_SECRET)
    address = Address.at(endpoints.postgres_host, endpoints.postgres_port, CONTROL, DOCTOR, file)
    database = ControlDatabase(address, program="govbus doctor")
    try:
        schema = current(database)
    except StoreError as error:
        return [failure(CHECK, str(error), "govbus up")]
    finally:
        database.close()
    seen = f"tables at {schema.found or 'nothing'}, this program needs {schema.wanted}"
    match schema.standing:
        case Standing.CURRENT:
            return [ok(CHECK, seen)]
        case Standing.BEHIND if schema.found is None:
            return [note(CHECK, "the control plane has no tables yet", "govbus database migrate")]
        case Standing.BEHIND:
            return [failure(CHECK, seen, "govbus database migrate")]
        case Standing.NEWER:
            return [failure(CHECK, f"{seen}: a newer govbus has migrated them", "install that govbus again")]
