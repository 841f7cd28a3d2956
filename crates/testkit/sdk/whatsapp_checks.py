"""Meta's Graph API as its documents have it, by plain calls: Meta's own SDK for Python does not
know WhatsApp. Callbacks are signed and checked with this file's own HMAC."""

import hashlib
import hmac
import json
from urllib.parse import urlencode

import world

SDK = "graph v21.0"
VERIFIED = "addresses verified"
SENT, CALLED_BACK, PRICED = "sent", "statuses", "statuses with a price"
GENUINE, FORGED = "signatures found genuine", "forged ones found"
ERRORS, LISTED = "errors in Graph's form", "templates listed"
TAKEN, REFUSED = "signed requests taken", "others refused"
FETCHED = "files fetched"
COUNTED = [
    VERIFIED,
    SENT,
    CALLED_BACK,
    PRICED,
    GENUINE,
    FORGED,
    ERRORS,
    LISTED,
    TAKEN,
    REFUSED,
    FETCHED,
]

VERSION = "v21.0"
DIRECT, OURS = "102290000000001", "102290000000002"
NUMBER, OTHER = "106540000000001", "106540000000002"
TOKEN, SECRET, WORD = "api-token", "0123456789abcdef", "a-word"
PHONE, STRANGER = "+12125550177", "+12125550178"
READERS = [f"+1212555019{index}" for index in range(6)]
LEAVER = "+12125550179"

LINK = "https://www.example.com/file"
# Each type of message with what it holds, and what the sandbox then has as its text.
KINDS = [
    ("text", {"body": "Señor 😀"}, "Señor 😀"),
    ("image", {"link": f"{LINK}.jpg", "caption": "Look"}, "Look"),
    ("video", {"link": f"{LINK}.mp4"}, ""),
    ("audio", {"link": f"{LINK}.mp3"}, ""),
    ("document", {"link": f"{LINK}.pdf", "filename": "bill.pdf", "caption": "Yours"}, "Yours"),
    ("sticker", {"link": f"{LINK}.webp"}, ""),
    (
        "interactive",
        {
            "type": "button",
            "body": {"text": "Come?"},
            "action": {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]},
        },
        "Come?",
    ),
    (
        "interactive",
        {
            "type": "list",
            "body": {"text": "When?"},
            "action": {
                "button": "Days",
                "sections": [{"rows": [{"id": "1", "title": "Monday"}]}],
            },
        },
        "When?",
    ),
    ("reaction", {"message_id": "wamid.HBgL", "emoji": "👍"}, "👍"),
]


def graph(method, path, body=None, token=TOKEN):
    """Status and answer of a call."""
    sent = None if body is None else json.dumps(body).encode()
    url = path if path.startswith("http") else f"{world.SANDBOX}/{VERSION}/{path}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    status, said = world.request(method, url, sent, headers)
    return status, json.loads(said)


def message(kind, content, to=PHONE, tag="sdk"):
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to.lstrip("+"),
        "type": kind,
        "biz_opaque_callback_data": tag,
        kind: content,
    }


def filled(name, values, language="en"):
    """A template with the values of its variables."""
    parameters = [{"type": "text", "text": value} for value in values]
    components = [{"type": "body", "parameters": parameters}]
    return {"name": name, "language": {"code": language}, "components": components}


def signature(body, secret=SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def business(id, callback_url, number):
    """Sets a business account up, as Meta's dashboard would."""
    settings = {"access_token": TOKEN, "app_secret": SECRET, "callback_url": callback_url}
    world.sandbox("PUT", f"/sandbox/businesses/{id}", {**settings, "numbers": [number]})


def writes(person, number, body="Hello", **beside):
    said = {"from": person, "to": number, "body": body, **beside}
    return world.sandbox("POST", "/sandbox/inbound", said)["sid"]


def check(counts):
    receiver = world.Receiver()
    business(DIRECT, f"{receiver.url}/direct", NUMBER)
    templates(counts)
    sends(counts, receiver)
    errors(counts)

    account = world.account("sdk-whatsapp", "whatsapp", OURS, f"{TOKEN}:{SECRET}:{WORD}")
    business(OURS, account["inbound_webhook"], OTHER)
    sender = world.sender("sdk-whatsapp", OTHER)["id"]
    verifies(counts, account["inbound_webhook"])
    finds_ours(counts, sender)
    calls(counts, account["inbound_webhook"])


def templates(counts):
    """Makes templates, and lists them in pages: by their cursors, and by the next page's URL."""
    path, names = f"{DIRECT}/message_templates", [f"code_{index}" for index in range(5)]
    for name in names:
        body = {"type": "BODY", "text": "Your code is {{1}}.", "example": {"body_text": [["417"]]}}
        new = {"name": name, "language": "en", "category": "UTILITY", "components": [body]}
        status, made = graph("POST", path, new)
        assert status == 200 and made["id"] and made["status"] == "APPROVED", made

    by_cursor, after = [], ""
    while True:
        _, page = graph("GET", f"{path}?limit=2&after={after}")
        by_cursor += [one["name"] for one in page["data"]]
        assert len(page["data"]) <= 2, page
        if "next" not in page["paging"]:
            break
        after = page["paging"]["cursors"]["after"]
    by_url, url = [], f"{path}?limit=2"
    while url:
        _, page = graph("GET", url)
        by_url += [one["name"] for one in page["data"]]
        url = page["paging"].get("next")
    assert by_cursor == by_url == names, (by_cursor, by_url)
    counts.add(LISTED, len(by_cursor) + len(by_url))

    shown = page["data"][-1]
    assert (shown["category"], shown["quality_score"]["score"]) == ("UTILITY", "GREEN"), shown


def sends(counts, receiver):
    """Sends a message of each type; what is called back is genuine and priced."""
    writes(PHONE, NUMBER)
    kinds = [*KINDS, ("template", filled("code_0", ["417"]), "Your code is 417.")]
    ids = {}
    for index, (kind, content, text) in enumerate(kinds):
        status, made = graph("POST", f"{NUMBER}/messages", message(kind, content, tag=str(index)))
        assert status == 200, (kind, made)
        assert made["contacts"] == [{"input": PHONE[1:], "wa_id": PHONE[1:]}], made
        [taken] = made["messages"]
        ids[taken["id"]] = (index, kind, text)
        counts.add(SENT)

    # The message of the person, and two statuses of each of ours.
    words = []
    for _, headers, body in receiver.at("/direct", 1 + 2 * len(ids)):
        given, raw = headers["X-Hub-Signature-256"], body.encode()
        assert hmac.compare_digest(given, signature(raw)), body
        assert given != signature(raw + b" ") and given != signature(raw, "another"), body
        counts.add(GENUINE)
        counts.add(FORGED)
        assert body.isascii(), "Meta escapes what it signs"

        envelope = json.loads(body)
        assert envelope["object"] == "whatsapp_business_account", envelope
        [entry] = envelope["entry"]
        [change] = entry["changes"]
        assert (entry["id"], change["field"]) == (DIRECT, "messages"), envelope
        assert change["value"]["metadata"]["phone_number_id"] == NUMBER, envelope
        for status in change["value"].get("statuses", []):
            index, kind, _ = ids[status["id"]]
            assert status["biz_opaque_callback_data"] == str(index), status
            assert status["recipient_id"] == PHONE[1:] and status["timestamp"].isdigit(), status
            counts.add(CALLED_BACK)
            words.append(status["status"])
            pricing = status["pricing"]
            category = "utility" if kind == "template" else "service"
            assert (pricing["category"], pricing["pricing_model"]) == (category, "PMP"), pricing
            assert pricing["billable"] in (True, False) and pricing["type"] == "regular", pricing
            counts.add(PRICED)
    assert sorted(set(words)) == ["delivered", "sent"] and len(words) == 2 * len(ids), words

    lines = world.request("GET", f"{world.SANDBOX}/sandbox/ledger?carrier=whatsapp")[1]
    held = {line["sid"]: line["body"] for line in map(json.loads, lines.splitlines())}
    for id, (_, kind, text) in ids.items():
        assert held[id] == text, (kind, held[id], text)


def errors(counts):
    """Refusals have Graph's form, and the code that Meta gives each."""
    path = f"{NUMBER}/messages"
    words = {"body": "Hi"}
    for code, status, where, body, token in [
        (190, 401, path, message("text", words), "another"),
        (100, 400, "999999999999/messages", message("text", words), TOKEN),
        (100, 400, path, {"to": "1", "type": "text", "text": words}, TOKEN),
        (100, 400, path, message("text", words, to="nobody"), TOKEN),
        (100, 400, path, message("image", {"caption": "no file"}), TOKEN),
        (131047, 400, path, message("text", words, to=STRANGER), TOKEN),
        (131051, 400, path, message("poll", {}), TOKEN),
        (131009, 400, path, message("interactive", {**KINDS[6][1], "action": {}}), TOKEN),
        (132000, 400, path, message("template", filled("code_0", [])), TOKEN),
        (132001, 404, path, message("template", filled("code_0", ["417"], "de")), TOKEN),
        (131008, 400, path, message("template", filled("code_0", [" "])), TOKEN),
        (132018, 400, path, message("template", filled("code_0", ["4\n17"])), TOKEN),
    ]:
        found, said = graph("POST", where, body, token)
        error = said["error"]
        assert (error["code"], found) == (code, status), (body, said)
        assert error["message"].startswith(f"(#{code}) ") and error["fbtrace_id"], said
        assert error["type"] == "OAuthException", said
        assert error["error_data"]["messaging_product"] == "whatsapp", said
        assert error["error_data"]["details"], said
        counts.add(ERRORS)


def verifies(counts, url):
    """The api answers the challenge to whoever says the account's word, and to nobody else."""

    def ask(word, mode="subscribe"):
        asked = {"hub.mode": mode, "hub.challenge": "1158201444", "hub.verify_token": word}

        def look():
            status, said = world.request("GET", f"{url}?{urlencode(asked)}")
            return (status, said) if status != 404 else None

        return world.wait_for(f"an answer of {url}", look)

    assert ask(WORD) == (200, b"1158201444")
    counts.add(VERIFIED)
    for asked in [(SECRET,), (TOKEN,), ("",), (WORD, "unsubscribe")]:
        status, said = ask(*asked)
        assert status == 403 and b"1158201444" not in said, (asked, status)
        counts.add(REFUSED)


def submit(sender, person, **fields):
    new = {"to": person, "from": sender, "channel": "whatsapp", "class": "transactional"}
    return world.api("POST", "/v1/messages", {**new, **fields})["id"]


def within_window(sender, person, **fields):
    """Submits until the person's message has opened the window; what came of it once it has."""

    def decided(id):
        def look():
            headers = {"Authorization": f"Bearer {world.KEY}"}
            status, said = world.request("GET", f"{world.API}/v1/messages/{id}", headers=headers)
            shown = json.loads(said) if status == 200 else {}
            return shown if shown.get("status") in ("delivered", "blocked") else None

        return world.wait_for(f"an end of {id}", look)

    def look():
        shown = decided(submit(sender, person, **fields))
        if shown["status"] == "blocked":
            assert "send a template" in json.dumps(shown["passport"]), shown
            return None
        return shown

    return world.wait_for("the window", look)


def finds_ours(counts, sender):
    """What the platform sends is at Meta as it was meant, and its statuses are heard."""
    body = {"type": "BODY", "text": "Your code is {{1}}."}
    new = {"name": "ours", "language": "en", "category": "UTILITY", "components": [body]}
    assert graph("POST", f"{OURS}/message_templates", new)[0] == 200
    # The account's list may have been read before: a template that is not on it is refused.
    world.api("POST", "/v1/carrier-templates/sync", {"account": "sdk-whatsapp"})

    template = {"name": "ours", "language": "en", "parameters": ["4\n17"]}
    shown = [world.delivered(submit(sender, STRANGER, carrier_template=template))]
    wanted = ["Your code is 4 17."]

    buttons = {"buttons": [{"id": "y", "title": "Yes"}, {"id": "n", "title": "No"}]}
    days = {"list": {"button": "Days", "rows": [{"id": "1", "title": "Monday"}]}}
    for person, text, fields in [
        (READERS[0], "At nine", {"body": "At nine"}),
        (READERS[1], "Look", {"body": "Look", "media_urls": [f"{LINK}.jpg"]}),
        (READERS[2], "Yours", {"body": "Yours", "media": [LINK], "media_filename": "bill.pdf"}),
        (READERS[3], "Come?", {"body": "Come?", "interactive": buttons}),
        (READERS[4], "When?", {"body": "When?", "interactive": days}),
        (READERS[5], "👍", {"reaction": {"message_id": "wamid.HBgL", "emoji": "👍"}}),
    ]:
        writes(person, OTHER)
        shown.append(within_window(sender, person, **fields))
        wanted.append(text)

    lines = world.request("GET", f"{world.SANDBOX}/sandbox/ledger?carrier=whatsapp")[1]
    held = {line["sid"]: line for line in map(json.loads, lines.splitlines())}
    for message, text in zip(shown, wanted, strict=True):
        line = held[message["carrier_id"]]
        assert (line["reference"], line["body"]) == (message["id"], text), (line, message)
        counts.add(SENT)


def calls(counts, url):
    """The api takes what is signed with the app secret, in the form that Meta signs, and nothing
    else; a file that comes so is fetched by its id."""

    def said(id, kind, content):
        message = {"from": LEAVER[1:], "id": f"wamid.{id}", "timestamp": "1749416383"}
        metadata = {"display_phone_number": "15550783881", "phone_number_id": OTHER}
        value = {
            "messaging_product": "whatsapp",
            "metadata": metadata,
            "contacts": [{"profile": {"name": "Señor"}, "wa_id": LEAVER[1:]}],
            "messages": [{**message, "type": kind, kind: content}],
        }
        entry = {"id": OURS, "changes": [{"field": "messages", "value": value}]}
        envelope = {"object": "whatsapp_business_account", "entry": [entry]}
        return json.dumps(envelope).replace("/", "\\/").encode()

    def post(body, given):
        headers = {"Content-Type": "application/json"}
        if given is not None:
            headers["X-Hub-Signature-256"] = given
        return world.posted(url, body, headers)

    stop = said("sdkstop", "text", {"body": "STOP"})
    for given in [None, "sha256=", signature(stop, "another"), signature(stop + b" ")]:
        assert post(stop, given) == 403, given
        counts.add(REFUSED)

    picture = said("sdkfile", "image", {"id": "9900000000000417", "mime_type": "image/png"})
    for body in [picture, stop]:
        assert post(body, signature(body)) == 200
        counts.add(TAKEN)
    world.opted_out(LEAVER)

    def look():
        media = world.api("GET", "/v1/media")["data"]
        return [one for one in media if one["direction"] == "in" and one["state"] == "stored"]

    [stored] = world.wait_for("the file", look)
    assert stored["media_type"] == "image/png", stored
    counts.add(FETCHED)
