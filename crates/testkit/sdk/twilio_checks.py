"""Twilio's SDK. It has no setting for its base URL, so its HTTP client is given one that rewrites
the host."""

import json
from datetime import date, datetime, timedelta, timezone
from hashlib import sha256
from importlib.metadata import version
from urllib.parse import parse_qsl, urlencode

import world
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

SDK = f"twilio {version('twilio')}"
SENT, FETCHED, LISTED, BY_DATE = "sent", "fetched", "listed", "found by date"
GENUINE, FORGED = "signatures found genuine", "forged ones refused"
TAKEN, REFUSED = "signed requests taken", "others refused"
OFFERED, BOUGHT, GIVEN_BACK = "numbers found on offer", "bought", "given back"
COUNTED = [
    SENT,
    FETCHED,
    LISTED,
    BY_DATE,
    GENUINE,
    FORGED,
    TAKEN,
    REFUSED,
    OFFERED,
    BOUGHT,
    GIVEN_BACK,
]

ACCOUNT = "AC000000000000000000000000000005d1"
TOKEN = "0123456789abcdef0123456789abcdef"
NUMBER = "+12125550161"
PHONE, READER, LEAVER = "+12125550171", "+12125550172", "+12125550173"

validator = RequestValidator(TOKEN)


class Rewriting(TwilioHttpClient):
    def request(self, method, url, *args, **kwargs):
        url = url.replace("https://api.twilio.com", world.SANDBOX)
        return super().request(method, url, *args, **kwargs)


def check(counts):
    client = Client(ACCOUNT, TOKEN, http_client=Rewriting())
    sends(counts, client)
    dates(counts, client)

    account = world.account("sdk-twilio", "twilio", ACCOUNT, TOKEN)
    world.sender("sdk-twilio", NUMBER)
    finds_ours(counts, client)
    signs(counts, account)
    numbers(counts, client)
    orders(counts, client)


def sends(counts, client):
    """Sends, fetches and lists in pages; what is called back is genuine."""
    receiver = world.Receiver()
    path = "/status?message=sdk%2D1"
    sids = []
    for index in range(5):
        made = client.messages.create(
            to=PHONE, from_=NUMBER, body=f"Text {index}", status_callback=receiver.url + path
        )
        assert made.status == "queued" and made.sid.startswith("SM"), made.status
        sids.append(made.sid)
    counts.add(SENT, len(sids))

    # Each text has a receipt when it is sent and one when it is delivered.
    for seen, headers, body in receiver.at(path, 10):
        params = dict(parse_qsl(body, keep_blank_values=True))
        signature = headers["X-Twilio-Signature"]
        assert validator.validate(receiver.url + seen, params, signature), params
        assert not validator.validate(receiver.url + seen, {**params, "To": "+1"}, signature)
        counts.add(GENUINE)
        counts.add(FORGED)

    for index, sid in enumerate(sids):
        message = client.messages(sid).fetch()
        assert (message.status, message.body) == ("delivered", f"Text {index}"), message
        counts.add(FETCHED)

    # pages of two, by the SDK and by hand
    listed = client.messages.list(to=PHONE, page_size=2)
    assert [message.sid for message in listed] == sids[::-1], listed
    pages, page = [], client.messages.page(to=PHONE, page_size=2)
    while page is not None:
        pages.append([message.sid for message in page])
        page = page.next_page()
    assert [len(page) for page in pages] == [2, 2, 1] and sum(pages, []) == sids[::-1], pages
    counts.add(LISTED, len(listed))


def dates(counts, client):
    """Finds texts by their date: a day, and each side of an instant."""
    # A day is one in UTC; by the end of the test it may be the next one.
    today = datetime.now(timezone.utc).date()
    found = client.messages.list(to=PHONE, date_sent=date.today())
    if date.today() == today == datetime.now(timezone.utc).date():
        assert len(found) == 5, found
        counts.add(BY_DATE, len(found))
    assert client.messages.list(to=PHONE, date_sent=today - timedelta(days=2)) == []

    now, hour = datetime.now(timezone.utc), timedelta(hours=1)
    for bounds in [
        {"date_sent_after": now - hour},
        {"date_sent_before": now + hour},
        {"date_sent_after": now - hour, "date_sent_before": now + hour},
    ]:
        found = client.messages.list(to=PHONE, page_size=2, **bounds)
        assert len(found) == 5, (bounds, found)
        counts.add(BY_DATE, len(found))
    assert client.messages.list(to=PHONE, date_sent_after=now + hour) == []
    assert client.messages.list(to=PHONE, date_sent_before=now - hour) == []


def finds_ours(counts, client):
    """What the platform sends is there for the SDK, and the platform takes its receipts."""
    shown = world.delivered(world.text(NUMBER, READER, "Your code is 417"))
    [listed] = client.messages.list(to=READER)
    message = client.messages(listed.sid).fetch()
    assert message.sid == shown["carrier_id"], (message.sid, shown)
    assert (message.status, message.from_) == ("delivered", NUMBER), message
    assert message.body == shown["body"] == "Your code is 417", (message.body, shown)
    counts.add(SENT)
    counts.add(FETCHED)
    counts.add(LISTED)

    stranger = Client(ACCOUNT, "wrong", http_client=Rewriting())
    try:
        stranger.messages(message.sid).fetch()
    except TwilioRestException as refused:
        assert (refused.status, refused.code) == (401, 20003), refused
    else:
        raise AssertionError("another token reads the account's messages")


def signs(counts, account):
    """The api takes what the SDK signs with the account's token, and nothing else."""
    url = account["inbound_webhook"]
    stop = {
        "MessageSid": "SM" + "5d" * 16,
        "AccountSid": ACCOUNT,
        "From": LEAVER,
        "To": NUMBER,
        "Body": "STOP",
        "NumMedia": "0",
    }
    form = "application/x-www-form-urlencoded"

    def post(params, signature):
        headers = {"Content-Type": form, "X-Twilio-Signature": signature}
        return world.posted(url, urlencode(params).encode(), headers)

    genuine = validator.compute_signature(url, stop)
    for params, signature in [
        (stop, RequestValidator("another token").compute_signature(url, stop)),
        ({**stop, "From": PHONE}, genuine),
        (stop, validator.compute_signature(url + "?a=1", stop)),
    ]:
        assert post(params, signature) == 403
        counts.add(REFUSED)
    assert post(stop, genuine) == 200
    counts.add(TAKEN)
    world.opted_out(LEAVER)

    # JSON is signed by the URL, which has its hash.
    said = json.dumps({**stop, "MessageSid": "SM" + "5e" * 16, "Body": "Hello"})
    hashed = f"{url}?bodySHA256={sha256(said.encode()).hexdigest()}"
    signature = validator.compute_signature(hashed, {})
    assert validator.validate(hashed, said, signature)
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": signature}
    assert world.posted(hashed, (said + " ").encode(), headers) == 403
    counts.add(REFUSED)
    assert world.posted(hashed, said.encode(), headers) == 200
    counts.add(TAKEN)


def refused(code, call):
    try:
        call()
    except TwilioRestException as error:
        assert error.code == code, (error.code, code)
    else:
        raise AssertionError(f"{code} expected")


def numbers(counts, client):
    """Finds numbers on offer, buys them, lists them in pages, and gives them back."""
    offers = client.available_phone_numbers("US").local
    found = offers.list(area_code=415, contains="012*", sms_enabled=True, limit=20)
    wanted = [number.phone_number for number in found]
    assert len(wanted) == 10 and all(number.startswith("+1415555012") for number in wanted), wanted
    counts.add(OFFERED, len(wanted))

    own = client.incoming_phone_numbers
    bought = [own.create(phone_number=number, sms_url=world.API) for number in wanted[:3]]
    counts.add(BOUGHT, len(bought))
    refused(21422, lambda: own.create(phone_number=wanted[0]))
    assert own(bought[0].sid).fetch().phone_number == wanted[0]
    assert wanted[0] not in [number.phone_number for number in offers.list(area_code=415)]

    listed = own.list(phone_number="+1415555012", page_size=2)
    assert [number.sid for number in listed] == [number.sid for number in bought], listed
    counts.add(LISTED, len(listed))
    for number in bought:
        assert own(number.sid).delete()
        counts.add(GIVEN_BACK)
    refused(20404, lambda: own(bought[0].sid).fetch())
    assert own.list(phone_number="+1415555012") == []


def orders(counts, client):
    """What the platform orders is there for the SDK, and not any more once it is given back."""
    search = "/v1/numbers/available?account=sdk-twilio&area_code=415&contains=0130"
    [offered] = world.api("GET", search)["data"]
    order = {"account": "sdk-twilio", "number": offered["number"]}
    path = f"/v1/numbers/{world.api('POST', '/v1/numbers', order)['id']}"
    world.wait_for("the number", lambda: world.api("GET", path)["state"] == "owned")
    [bought] = client.incoming_phone_numbers.list(phone_number=offered["number"])
    counts.add(BOUGHT)

    assert world.api("POST", f"{path}/activate", {"pace": 1})["active"]
    webhook = world.api("GET", "/v1/carrier-accounts/sdk-twilio")["inbound_webhook"]
    # With it, how often Twilio tries a text that was not taken.
    entered = client.incoming_phone_numbers(bought.sid).fetch().sms_url
    assert entered == f"{webhook}#rc=5&rp=all", entered
    world.api("DELETE", path.replace("/numbers/", "/senders/"))
    world.api("DELETE", path)
    assert client.incoming_phone_numbers.list(phone_number=offered["number"]) == []
    counts.add(GIVEN_BACK)
