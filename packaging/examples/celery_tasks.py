"""Celery: an invitation as a task.

celery --workdir packaging/examples --app celery_tasks worker

And in the program: `celery_tasks.invite.delay("ann@example.org", "Bo", "https://example.org/join")`.
"""

import atexit
import os
from functools import cache

from celery import Celery, Task

from smtp_desk.sender import Invitation, OutboxError, Sender

app = Celery("mail", broker=os.environ.get("CELERY_BROKER_URL", "redis://localhost"))


@cache
def sender() -> Sender:
    """Open it where the task runs: whoever only calls `delay` needs none."""
    opened = Sender.from_settings()
    atexit.register(opened.close)
    return opened


# A task that is given out twice, after a worker was killed, sends one email: the key is the task's.
@app.task(bind=True, acks_late=True, autoretry_for=(OutboxError,), retry_backoff=True)
def invite(self: Task, to: str, invited_by: str, link: str) -> None:
    email = Invitation(to=to, invited_by=invited_by, link=link)
    sender().send(email, key=self.request.id)
