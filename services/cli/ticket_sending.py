"""Sends the marks of disputed records that tickets owe to the bus."""

import os
from dataclasses import dataclass

from confluent_kafka import KafkaException

from services.control.dispute_sender import DisputesDiverge, DisputesNotReady, SendAgain, sender_on
from services.control.policy_topic import PolicyUnreadable
from services.control.reading import TopicUnreadable
from services.control.store.database import ControlDatabase
from services.stack.api import Stack
from services.stack.settings import StackSettings
from topics.disputes import RefuseChange


@dataclass(frozen=True, slots=True)
class Sent:
    """How many changes of the disputes were sent, and why others were not; None where all were."""

    count: int
    problem: str | None = None


def send_marks(database: ControlDatabase) -> Sent:
    """Send what is owed now; what cannot be sent stays owed."""
    kafka = Stack(StackSettings.from_environment(os.environ)).kafka_config("apply")
    sender = sender_on(kafka, "apply.disputes", database)
    try:
        return Sent(sender.turn())
    except (DisputesNotReady, DisputesDiverge, SendAgain, RefuseChange) as error:
        return Sent(0, str(error))
    except (KafkaException, PolicyUnreadable, TopicUnreadable) as error:
        return Sent(0, f"Kafka: {error}")
