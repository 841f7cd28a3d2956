"""Bandwidth's SDK. Bandwidth signs nothing: its callbacks carry credentials, and the SDK's models
say what they look like."""

import json
from datetime import datetime, timedelta, timezone
from importlib.metadata import version

import bandwidth
import world
from bandwidth.exceptions import BadRequestException, UnauthorizedException
from bandwidth.models import (
    InboundCallback,
    ListMessageDirectionEnum,
    MessageRequest,
    MessageStatusEnum,
    StatusCallback,
)

SDK = f"bandwidth-sdk {version('bandwidth-sdk')}"
SENT, FETCHED, LISTED, BY_DATE = "sent", "fetched", "listed", "found by date"
GENUINE = "callbacks with our credentials"
TAKEN, REFUSED = "requests taken", "others refused"
COUNTED = [SENT, FETCHED, LISTED, BY_DATE, GENUINE, TAKEN, REFUSED]

ACCOUNT, DIRECT, OURS = "9900017", "app-direct", "app-ours"
USER, WORD = "api-user", "api-word"
NUMBER, OTHER = "+12125550162", "+12125550163"
PHONE, READER, LEAVER = "+12125550174", "+12125550175", "+12125550176"


def messages(word=WORD):
    """The SDK's client of messages at the sandbox."""
    configuration = bandwidth.Configuration(
        host=f"{world.SANDBOX}/api/v2",
        ignore_operation_servers=True,
        username=USER,
        password=word,
    )
    return bandwidth.MessagesApi(bandwidth.ApiClient(configuration))


def credentials(word=WORD):
    return bandwidth.Configuration(username=USER, password=word).get_basic_auth_token()


def application(name, callback_url, number):
    """Sets an application up, as the dashboard would."""
    settings = {"account": ACCOUNT, "callback_url": callback_url, "user": USER, "password": WORD}
    world.sandbox("PUT", f"/sandbox/applications/{name}", {**settings, "numbers": [number]})


def check(counts):
    client = messages()
    sends(counts, client)
    dates(counts, client)
    refusals(counts, client)

    account = world.account("sdk-bandwidth", "bandwidth", f"{ACCOUNT}/{OURS}", f"{USER}:{WORD}")
    application(OURS, account["inbound_webhook"], OTHER)
    world.sender("sdk-bandwidth", OTHER)
    ours = finds_ours(counts, client)
    calls(counts, account["inbound_webhook"], ours)


def draft(index, **other):
    fields = {"application_id": DIRECT, "to": [PHONE], "var_from": NUMBER}
    return MessageRequest(**{**fields, "text": f"Text {index}", "tag": f"sdk-{index}", **other})


def sends(counts, client):
    """Sends, fetches and lists in pages; what is called back is genuine, in the SDK's form."""
    receiver = world.Receiver()
    application(DIRECT, f"{receiver.url}/direct", NUMBER)
    ids = []
    for index in range(5):
        made = client.create_message(ACCOUNT, draft(index))
        assert (made.text, made.tag) == (f"Text {index}", f"sdk-{index}"), made
        assert made.segment_count == 1 and made.time.tzinfo is not None, made
        ids.append(made.id)
    counts.add(SENT, len(ids))

    # Each text is called back about when it is sent and when it is delivered.
    for _, headers, body in receiver.at("/direct", 10):
        assert headers["Authorization"] == credentials(), headers
        [event] = json.loads(body)
        said = StatusCallback.from_dict(event)
        assert said.message.id in ids and said.to == PHONE, said
        assert said.message.tag == f"sdk-{ids.index(said.message.id)}", said
        counts.add(GENUINE)

    # The only way to fetch one is a list of one.
    for id in ids:
        [found] = client.list_messages(ACCOUNT, message_id=id).messages
        assert found.message_status == MessageStatusEnum.DELIVERED, found
        counts.add(FETCHED)

    listed, token = [], None
    while True:
        page = client.list_messages(ACCOUNT, destination_tn=PHONE, limit=2, page_token=token)
        assert page.total_count == 5 and 1 <= len(page.messages) <= 2, page
        listed += [message.message_id for message in page.messages]
        token = page.page_info.next_page_token
        if not token:
            break
    assert listed == ids[::-1], (listed, ids)
    counts.add(LISTED, len(listed))


def dates(counts, client):
    """Finds texts by each side of an instant."""
    now, hour = datetime.now(timezone.utc), timedelta(hours=1)
    before, after = (now - hour).isoformat(), (now + hour).isoformat()
    today = now.replace(hour=0, minute=0, second=0).isoformat()
    of = {"destination_tn": PHONE}
    for bounds in [
        {"from_date_time": before},
        {"to_date_time": after},
        {"from_date_time": min(today, before), "to_date_time": after},
    ]:
        found = client.list_messages(ACCOUNT, **of, **bounds).messages
        assert len(found) == 5, (bounds, found)
        counts.add(BY_DATE, len(found))
    assert client.list_messages(ACCOUNT, **of, from_date_time=after).messages == []
    assert client.list_messages(ACCOUNT, **of, to_date_time=before).messages == []


def refusals(counts, client):
    """The SDK knows what is refused for what it is."""
    for refused, call in [
        (BadRequestException, lambda: client.create_message(ACCOUNT, draft(9, to=["nobody"]))),
        (
            BadRequestException,
            lambda: client.create_message(ACCOUNT, draft(9, application_id="app-none")),
        ),
        (UnauthorizedException, lambda: messages("wrong").create_message(ACCOUNT, draft(9))),
    ]:
        try:
            call()
        except refused as error:
            assert json.loads(error.body)["description"], error
            counts.add(REFUSED)
        else:
            raise AssertionError(f"{refused.__name__} expected")


def finds_ours(counts, client):
    """What the platform sends is there for the SDK, and the platform takes its callbacks."""
    shown = world.delivered(world.text(OTHER, READER, "Your code is 417"))
    outbound = ListMessageDirectionEnum.OUTBOUND
    [listed] = client.list_messages(
        ACCOUNT, destination_tn=READER, source_tn=OTHER, message_direction=outbound
    ).messages
    [found] = client.list_messages(ACCOUNT, message_id=listed.message_id).messages
    assert found.message_id == shown["carrier_id"], (found, shown)
    assert found.message_status == MessageStatusEnum.DELIVERED, found
    assert found.message_length == len(shown["body"]), (found, shown)
    counts.add(SENT)
    counts.add(FETCHED)
    counts.add(LISTED)
    return shown["carrier_id"]


def as_posted(event):
    """A callback of the SDK's as JSON, without the fields that are the SDK's own."""
    own = {"additional_properties": True, "message": {"additional_properties"}}
    return json.loads(event.model_dump_json(by_alias=True, exclude_none=True, exclude=own))


def calls(counts, url, ours):
    """The api takes what the SDK's models say with the account's credentials, and nothing else."""
    now = datetime.now(timezone.utc)
    common = {"application_id": OURS, "time": now, "segment_count": 1, "owner": OTHER}
    receipt = StatusCallback(
        time=now,
        type="message-delivered",
        to=READER,
        description="ok",
        message={**common, "id": ours, "direction": "out", "to": [READER], "var_from": OTHER},
    )
    stop = InboundCallback(
        time=now,
        type="message-received",
        to=OTHER,
        description="Incoming message received",
        message={
            **common,
            "id": "sdk-stop",
            "direction": "in",
            "to": [OTHER],
            "var_from": LEAVER,
            "text": "STOP",
        },
    )
    events = [as_posted(event) for event in (receipt, stop)]

    def post(given):
        headers = {"Content-Type": "application/json", **given}
        return world.posted(url, json.dumps(events).encode(), headers)

    for given in [{}, {"Authorization": credentials("wrong")}]:
        assert post(given) == 403
        counts.add(REFUSED)
    assert post({"Authorization": credentials()}) == 200
    counts.add(TAKEN)
    world.opted_out(LEAVER)
