"""The outbox: one way to send, for one transaction and for a million.

An outbox does jobs. A job has a key that identifies its purpose, and is done at most once, no matter who asks for it,
how often, and which process dies in between: what will be sent is in the journal before it is sent.
"""

from der_client.stacks.outbox.jobs import Entry, Job, JobState, Progress, retry_s
from der_client.stacks.outbox.journal import Journal
from der_client.stacks.outbox.outbox import Outbox

__all__ = ["Entry", "Job", "JobState", "Journal", "Outbox", "Progress", "retry_s"]
