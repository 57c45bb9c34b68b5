"""The recorder: records readings on the chain.

It compares readings with what is recorded for their day (``plan_day``), holds back what would be refused, and records
the rest, as a relayer of signed readings or as an oracle.
"""

from der_client.recorder.outcomes import RecorderReport, Recording, RecordingStatus
from der_client.recorder.planning import Conflict, ConflictingReadingsError, DayPlan, RecordedPart, plan_day
from der_client.recorder.recorder import MAX_BATCH_ITEMS, Recorder

__all__ = [
    "MAX_BATCH_ITEMS",
    "Conflict",
    "ConflictingReadingsError",
    "DayPlan",
    "RecordedPart",
    "Recorder",
    "RecorderReport",
    "Recording",
    "RecordingStatus",
    "plan_day",
]
