"""The tables of people: what is asked, who answers, how well."""

from annotation.models.alarms import Alarm
from annotation.models.answers import Assignment, Demonstration, Preference
from annotation.models.asked import Comparison, ComparisonResponse, Prompt, Response
from annotation.models.frozen import Batch, BatchItem, Event
from annotation.models.keys import OwnKeys
from annotation.models.projects import (
    Acknowledgement,
    Guidelines,
    Invitation,
    Membership,
    Project,
)
from annotation.models.tokens import ApiToken

__all__ = [
    "Acknowledgement",
    "Alarm",
    "ApiToken",
    "Assignment",
    "Batch",
    "BatchItem",
    "Comparison",
    "ComparisonResponse",
    "Demonstration",
    "Event",
    "Guidelines",
    "Invitation",
    "Membership",
    "OwnKeys",
    "Preference",
    "Project",
    "Prompt",
    "Response",
]
