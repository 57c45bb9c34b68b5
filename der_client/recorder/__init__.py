"""The recorder: from readings to the chain.

It compares readings with what the chain knows of their day (``plan_day``), keeps back what would be refused, and
records the rest, as a relayer of what meters signed or as an oracle.
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
