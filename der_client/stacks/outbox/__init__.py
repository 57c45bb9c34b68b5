"""The outbox: one way to send, for one transaction and for a million.

An outbox does jobs. A job has a key that says what it is for, and is done at most once, whoever asks for it, however
often, and whatever dies in between: what is to be sent is in the journal before it is sent.
"""

from der_client.stacks.outbox.jobs import Entry, Job, JobState, Progress, retry_s
from der_client.stacks.outbox.journal import Journal
from der_client.stacks.outbox.outbox import Outbox

__all__ = ["Entry", "Job", "JobState", "Journal", "Outbox", "Progress", "retry_s"]
