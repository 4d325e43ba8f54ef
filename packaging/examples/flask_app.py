"""Flask: an invitation for each POST.

gunicorn --chdir packaging/examples --workers 2 --preload flask_app:app
"""

import atexit

from flask import Flask, request

from smtp_desk.sender import EmailError, Invitation, Sender

app = Flask(__name__)
sender = (
    Sender.from_settings()
)  # one for the process; the workers that gunicorn forks go on with it
atexit.register(sender.close)


@app.post("/invitations")
def invite() -> dict[str, str]:
    wanted = request.get_json()
    email = Invitation(to=wanted["to"], invited_by=wanted["invited_by"], link=wanted["link"])
    return {each.recipient: each.status for each in sender.send(email).recipients}


@app.errorhandler(EmailError)
def refuse(error: EmailError) -> tuple[dict[str, str], int]:
    return {"detail": str(error)}, 422
