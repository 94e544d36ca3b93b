"""Event Hub over REST, with the standard library alone."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
import uuid

HUB = os.environ.get("EVENT_HUB_URL", "http://127.0.0.1:8000").rstrip("/")


def call(path, body=None):
    """The answer as a dict; a refusal is raised with the hub's own words."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(HUB + path, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as refusal:
        problem = json.load(refusal)
        raise SystemExit(f"{problem['code']}: {problem['detail']}") from None


def follow(after):
    """The stored events after a position, as they come (server-sent events)."""
    query = urllib.parse.urlencode({"after": after})
    with urllib.request.urlopen(f"{HUB}/events/stream?{query}", timeout=60) as stream:
        kind = "message"
        for line in stream:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind == "message":
                yield json.loads(value)
            elif name == "data" and kind == "error":
                raise SystemExit(value)
            elif name == "":
                kind = "message"


# An id of your own makes a retry safe: what is known already is answered `duplicate`.
event = {
    "id": f"example-{uuid.uuid4()}",
    "user_id": "example-user",
    "event_type": "purchase",
    "amount": "149.90",  # As a string every digit counts.
    "currency": "EUR",
    "metadata": {"order_id": "A-1"},
}
first = call("/events", event)
print("first answer:", first["status"])
print("second answer:", call("/events", event)["status"])

# at_least waits until the totals have this event.
query = urllib.parse.urlencode({"minutes": 5, "at_least": first["position"]})
for totals in call(f"/aggregates?{query}")["by_currency"]:
    print(f"last 5 minutes: {totals['event_count']} events, net {totals['net_amount']} {totals['currency']}")

# From the start of the log; a program that goes on keeps the position of the last event it took.
for stored in follow("start"):
    if stored["id"] == event["id"]:
        print("followed:", stored["id"], stored["amount"], stored["currency"])
        break
