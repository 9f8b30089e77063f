"""Which part of the sample city a chaos run plays in: one resource, its provider and two of its grants."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from services.chaos.check import Layout
from services.chaos.oracle import View, everything, school_places
from services.control.definitions import Definitions
from topics.event import ConsumerId, GrantId, ProviderId, ResourceId
from topics.names import canonical, fanout_group, quarantine

RESOURCE: Final = ResourceId("population.person.v1")
PROVIDER: Final = ProviderId("police")
GRANT_GROUP: Final = "default"
_SCHOOLS: Final = GrantId("education-persons")
_DOCTORS: Final = GrantId("health-persons-gusu")
_DISTRICT: Final = "320508"
_CONSUMERS: Final = (ConsumerId("education"), ConsumerId("health"))


def small_city(definitions: Definitions) -> Definitions:
    """The sample city with nothing but the persons and the two grants on them."""
    return replace(
        definitions,
        providers={PROVIDER: definitions.providers[PROVIDER]},
        consumers={name: definitions.consumers[name] for name in _CONSUMERS},
        resources={RESOURCE: definitions.resources[RESOURCE]},
        grants={name: definitions.grants[name] for name in (_SCHOOLS, _DOCTORS)},
    )


def layout_of(resources: Mapping[ResourceId, Any], grants: Mapping[GrantId, Any]) -> Layout:
    """The topics of the run; takes what is declared, or a policy's entries around it."""
    resource = getattr(resources[RESOURCE], "resource", resources[RESOURCE])
    schools, doctors = (getattr(grants[name], "grant", grants[name]) for name in (_SCHOOLS, _DOCTORS))
    return Layout(
        raw=resource.raw_topic,
        canonical=canonical(RESOURCE),
        quarantine=quarantine(PROVIDER),
        partitions=resource.partitions,
        fanout_group=fanout_group(GRANT_GROUP),
        views=(
            View(_SCHOOLS, schools.topic, None, school_places),
            View(_DOCTORS, doctors.topic, _DISTRICT, everything),
        ),
    )
