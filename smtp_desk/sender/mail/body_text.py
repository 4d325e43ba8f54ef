"""The readable text of a stored email."""

from email import message_from_bytes, policy


def body_text(payload: bytes) -> str:
    """Return the subject and the plain text of a stored email, as far as they can be read."""
    message = message_from_bytes(payload, policy=policy.default)
    parts = [str(message["Subject"] or "")]
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            octets = part.get_payload(decode=True)
            if isinstance(octets, bytes):
                parts.append(octets.decode("utf-8", "replace"))
    return "\n".join(parts)
