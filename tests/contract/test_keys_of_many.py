"""One email for one key, though several senders have it in their groups, whatever the engine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from smtp_desk.sender import KeyedEmail, Notification, Receipt, Sender

if TYPE_CHECKING:
    from tests.sender.ways import Way

EMAILS = [
    KeyedEmail(Notification(to=f"p{number}@example.org", title="Hi", body="Hello"), str(number))
    for number in range(20)
]


def test_groups_that_share_keys_in_another_order(sender: Sender, way: Way) -> None:
    """Each waits for keys of the other: one of them is undone, and looks again."""
    orders = [EMAILS, EMAILS[::-1], EMAILS[5:15]]
    start = threading.Barrier(len(orders))
    receipts: list[list[Receipt]] = [[] for _ in orders]

    def send(number: int) -> None:
        start.wait()
        receipts[number] += sender.send_many(orders[number])

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(orders))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(recipient for _, recipient in way.given) == sorted(
        each.email.recipients[0] for each in EMAILS if isinstance(each.email, Notification)
    )
    ids = [{each.recipients[0].recipient: each.message_id for each in group} for group in receipts]
    assert [len(each) for each in ids] == [20, 20, 10]
    assert ids[0] == ids[1]
    assert ids[2].items() <= ids[0].items()
