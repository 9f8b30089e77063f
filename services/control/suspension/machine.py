"""The kill switch's machine on a running bus: journals in its folder, Kafka behind each order."""

from services.control.access import Access
from services.control.settings import ApplySettings
from services.control.suspension.finish import now_ms
from services.control.suspension.journal import FileJournal, Journal, resumptions_path, suspensions_path
from services.control.suspension.kafka_bus import KafkaBus
from services.control.suspension.resume import Resume
from services.control.suspension.suspend import Say, Suspend
from services.control.suspension.switch import Machine


def machine_on(access: Access, settings: ApplySettings) -> Machine:
    """The machine of the bus that ``access`` reaches."""

    def suspend(journal: Journal, say: Say) -> Suspend:
        return Suspend(KafkaBus(access, access.admin(), settings), journal, now_ms, say)

    def resume(journal: Journal, say: Say, confirmed: tuple[str, ...]) -> Resume:
        return Resume(access, access.admin(), settings, journal, now_ms, say, confirmed)

    return Machine(
        suspensions=FileJournal(suspensions_path(access.home)),
        resumptions=FileJournal(resumptions_path(access.home)),
        suspend=suspend,
        resume=resume,
    )
