"""Event Hub over GraphQL, with the standard library alone; the subscription comes by server-sent events."""

import json
import os
import urllib.request
import uuid

HUB = os.environ.get("EVENT_HUB_URL", "http://127.0.0.1:8000").rstrip("/")


def post(query, variables, accept):
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"content-type": "application/json", "accept": accept}
    return urllib.request.urlopen(urllib.request.Request(f"{HUB}/graphql", body, headers), timeout=60)


def checked(answer):
    """The data; an error is raised with the hub's own words."""
    for error in answer.get("errors", []):
        raise SystemExit(f"{error['extensions'].get('code')}: {error['message']}")
    return answer["data"]


def call(query, **variables):
    with post(query, variables, "application/json") as response:
        return checked(json.load(response))


def subscribe(query, **variables):
    with post(query, variables, "text/event-stream") as stream:
        for line in stream:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "data" and value:
                yield checked(json.loads(value))


SEND = "mutation ($input: EventInput!) { sendEvent(input: $input) { status id position } }"
TOTALS = """
query ($atLeast: String) {
  aggregatedMetrics(minutes: 5, atLeast: $atLeast) {
    byCurrency { currency eventCount netAmountExact }
  }
}"""
STREAM = "subscription ($after: String) { eventStream(after: $after) { id amountExact currency } }"

# An id of your own makes a retry safe: what is known already is answered `duplicate`.
event = {
    "id": f"example-{uuid.uuid4()}",
    "userId": "example-user",
    "eventType": "purchase",
    "amount": "149.90",  # As a string every digit counts.
    "currency": "EUR",
    "metadata": {"order_id": "A-1"},
}
first = call(SEND, input=event)["sendEvent"]
print("first answer:", first["status"])
print("second answer:", call(SEND, input=event)["sendEvent"]["status"])

# atLeast waits until the totals have this event.
for totals in call(TOTALS, atLeast=first["position"])["aggregatedMetrics"]["byCurrency"]:
    print(f"last 5 minutes: {totals['eventCount']} events, net {totals['netAmountExact']} {totals['currency']}")

# From the start of the log; a program that goes on keeps the position of the last event it took.
for data in subscribe(STREAM, after="start"):
    stored = data["eventStream"]
    if stored["id"] == event["id"]:
        print("followed:", stored["id"], stored["amountExact"], stored["currency"])
        break
