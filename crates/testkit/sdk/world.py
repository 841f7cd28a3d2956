"""The platform, the sandbox, and a receiver of what the sandbox calls back."""

import json
import os
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API = os.environ["API"]
SANDBOX = os.environ["SANDBOX"]
KEY = os.environ["KEY"]

# Seconds until something must have come.
PATIENCE = 30


def request(method, url, body=None, headers=None):
    """Status and body of an answer, whatever the status."""
    asked = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def read(method, url, body=None, headers=None):
    """What an answer of a call says that must succeed."""
    sent = None if body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **(headers or {})}
    status, said = request(method, url, sent, given)
    assert 200 <= status < 300, (method, url, status, said)
    return json.loads(said)


def api(method, path, body=None):
    return read(method, API + path, body, {"Authorization": f"Bearer {KEY}"})


def sandbox(method, path, body=None):
    return read(method, SANDBOX + path, body)


def wait_for(what, condition):
    """What the condition finds, once it finds something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come")


def account(name, carrier, sid, secret):
    """Sets an account at the sandbox up; says how the api shows it."""
    new = {
        "account": name,
        "carrier": carrier,
        "carrier_sid": sid,
        "auth_token": secret,
        "base_url": SANDBOX,
    }
    return api("POST", "/v1/carrier-accounts", new)


def sender(name, number):
    new = {"account": name, "number": number, "pace": 50, "active_since": "2026-01-01T00:00:00Z"}
    return api("POST", "/v1/senders", new)


def text(number, to, body):
    """Has the platform text a person; says the message's id."""
    new = {"to": to, "from": number, "class": "transactional", "body": body}
    return api("POST", "/v1/messages", new)["id"]


def delivered(message):
    """The message, once its receipt is in."""

    def look():
        path = f"/v1/messages/{message}"
        status, said = request("GET", API + path, headers={"Authorization": f"Bearer {KEY}"})
        # What was accepted a moment ago may not be stored yet.
        shown = json.loads(said) if status == 200 else {}
        return shown if shown.get("status") == "delivered" else None

    return wait_for(f"the receipt of {message}", look)


def opted_out(phone):
    """Waits until a person's opt-out is recorded."""

    def look():
        entries = api("GET", "/v1/do-not-contact?cause=opted_out")["data"]
        return any(entry["phone"] == phone for entry in entries)

    return wait_for(f"the opt-out of {phone}", look)


def posted(url, body, headers):
    """The status of a webhook, once its account is known to the ingress."""

    def look():
        status, _ = request("POST", url, body, headers)
        return status if status != 404 else None

    return wait_for(f"an answer of {url}", look)


class Receiver:
    """Keeps (path, headers, body) of each POST."""

    def __init__(self):
        hits = self.hits = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                hits.append((self.path, self.headers, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"

    def at(self, path, number):
        """So many hits at a path, once they have come."""

        def look():
            found = [hit for hit in self.hits if hit[0] == path]
            return found if len(found) >= number else None

        return wait_for(f"{number} calls of {path}", look)
