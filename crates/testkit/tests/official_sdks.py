"""Runs the official Twilio and Anthropic SDKs against a sandbox: official_sdks.py BASE_URL.

The Twilio SDK has no base URL setting, so its HTTP client is given one that rewrites the host.
Exits with 0 when everything holds; otherwise the traceback says what did not.
"""

import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl

import anthropic
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

BASE = sys.argv[1]
ACCOUNT = "AC00000000000000000000000000000009"
TOKEN = "0123456789abcdef0123456789abcdef"
SENDER = "+15005550006"
PHONE = "+14155550100"


class Rewriting(TwilioHttpClient):
    def request(self, method, url, *args, **kwargs):
        return super().request(method, url.replace("https://api.twilio.com", BASE), *args, **kwargs)


class Receiver(BaseHTTPRequestHandler):
    """Keeps (path, parameters, signature) of each POST."""

    hits = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        params = dict(parse_qsl(body, keep_blank_values=True))
        self.hits.append((self.path, params, self.headers["X-Twilio-Signature"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


def wait_for(what, condition):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come; got {Receiver.hits}")


def refused(code, call):
    try:
        call()
    except TwilioRestException as error:
        assert error.code == code, (error.code, code)
        return error
    raise AssertionError(f"{code} expected")


def twilio_messages(client, hook):
    url = f"{hook}/status?tenant=t&message=m%2D1"
    made = client.messages.create(to=PHONE, from_=SENDER, body="Señor 😀", status_callback=url)
    assert made.status == "queued" and made.sid.startswith("SM"), made.status
    assert made.num_segments == "1" and made.date_created.tzinfo is not None
    path = "/status?tenant=t&message=m%2D1"
    wait_for("the receipts", lambda: len([h for h in Receiver.hits if h[0] == path]) == 2)
    validator = RequestValidator(TOKEN)
    for seen, params, signature in list(Receiver.hits):
        assert validator.validate(hook + seen, params, signature), params
        assert not validator.validate(hook + seen, {**params, "To": "+1"}, signature)
    message = client.messages(made.sid).fetch()
    assert message.status == "delivered" and message.body == "Señor 😀" and message.date_sent
    assert client.messages(made.sid).update(body="").body == ""
    for n in range(4):
        client.messages.create(to=PHONE, from_=SENDER, body=f"text {n}")
    listed = [m.body for m in client.messages.list(to=PHONE, page_size=2)]
    assert listed == ["text 3", "text 2", "text 1", "text 0", ""], listed
    day_ago = datetime.now(timezone.utc) - timedelta(days=1)
    assert len(client.messages.list(date_sent_after=day_ago, from_=SENDER)) == 5
    assert client.messages.list(date_sent_before=day_ago) == []
    wait_for("the end", lambda: client.messages(made.sid).fetch().status == "delivered")
    assert client.messages(made.sid).delete()
    refused(20404, lambda: client.messages(made.sid).fetch())
    refused(21211, lambda: client.messages.create(to="1", from_=SENDER, body="x"))
    refused(21610, lambda: client.messages.create(to="+15005550004", from_=SENDER, body="x"))
    stranger = Client(ACCOUNT, "wrong", http_client=Rewriting())
    assert refused(20003, lambda: stranger.messages(made.sid).fetch()).status == 401


def twilio_numbers(client, hook):
    made = client.incoming_phone_numbers.create(phone_number=SENDER, sms_url=f"{hook}/old")
    assert made.sid.startswith("PN") and made.phone_number == SENDER
    client.incoming_phone_numbers(made.sid).update(sms_url=f"{hook}/inbound?a=1")
    found = client.incoming_phone_numbers.list(phone_number=SENDER)
    assert [n.sms_url for n in found] == [f"{hook}/inbound?a=1"], found
    refused(21422, lambda: client.incoming_phone_numbers.create(phone_number=SENDER))
    text = {"from": PHONE, "to": SENDER, "body": "STOP"}
    answer = client.http_client.session.post(f"{BASE}/sandbox/inbound", json=text)
    assert answer.status_code == 202, answer.text
    path = "/inbound?a=1"
    hit = wait_for("the text", lambda: next((h for h in Receiver.hits if h[0] == path), None))
    assert RequestValidator(TOKEN).validate(hook + path, hit[1], hit[2])
    assert hit[1]["Body"] == "STOP"
    refused(21610, lambda: client.messages.create(to=PHONE, from_=SENDER, body="x"))


def twilio_scheduling(client):
    made = client.messages.create(
        to="+14155550101",
        messaging_service_sid="MG00000000000000000000000000000001",
        body="later",
        schedule_type="fixed",
        send_at=datetime.now(timezone.utc) + timedelta(hours=1),
    )
    assert made.status == "scheduled", made.status
    assert client.messages(made.sid).update(status="canceled").status == "canceled"


def anthropic_messages():
    client = anthropic.Anthropic(api_key="k", base_url=BASE, max_retries=0)
    question = [{"role": "user", "content": "¿Cuánto cuesta?"}]
    answer = client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=question)
    assert answer.stop_reason == "end_turn" and "dólares" in answer.content[0].text
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0
    assert answer._request_id.startswith("req_")
    tool = {
        "name": "classify",
        "description": "what they want",
        "input_schema": {
            "type": "object",
            "properties": {"intent": {"type": "string", "enum": ["question", "opt_out"]}},
            "required": ["intent"],
        },
    }
    choice = {"type": "tool", "name": "classify"}
    answer = client.messages.create(
        model="m", max_tokens=200, messages=question, tools=[tool], tool_choice=choice
    )
    assert answer.stop_reason == "tool_use", answer.stop_reason
    assert answer.content[0].input == {"intent": "question"}
    try:
        client.messages.create(model="m", max_tokens=200, messages=[])
    except anthropic.BadRequestError as error:
        assert error.body["error"]["type"] == "invalid_request_error"
    else:
        raise AssertionError("an empty conversation was accepted")


def main():
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook = f"http://127.0.0.1:{server.server_port}"
    client = Client(ACCOUNT, TOKEN, http_client=Rewriting())
    twilio_messages(client, hook)
    twilio_numbers(client, hook)
    twilio_scheduling(client)
    anthropic_messages()
    print("fine")


if __name__ == "__main__":
    main()
