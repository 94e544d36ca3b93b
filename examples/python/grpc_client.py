"""Event Hub over gRPC. Needs requirements.txt and the code that protoc makes of the contract: see ../README.md."""

import os
import uuid

import grpc

import event_hub_pb2 as hub
import event_hub_pb2_grpc as hub_grpc

ADDRESS = os.environ.get("EVENT_HUB_GRPC_URL", "127.0.0.1:50051")

with grpc.insecure_channel(ADDRESS) as channel:
    service = hub_grpc.EventServiceStub(channel)

    # An id of your own makes a retry safe: what is known already is answered `duplicate`.
    event = hub.EventRequest(
        id=f"example-{uuid.uuid4()}",
        user_id="example-user",
        event_type="purchase",
        amount_exact="149.90",  # As a string every digit counts.
        currency="EUR",
    )
    event.metadata["order_id"] = "A-1"
    try:
        first = service.SendEvent(event, timeout=30)
        second = service.SendEvent(event, timeout=30)
    except grpc.RpcError as refusal:
        raise SystemExit(f"{refusal.code().name}: {refusal.details()}") from None
    print("first answer:", first.status)
    print("second answer:", second.status)

    # at_least waits until the totals have this event.
    totals = service.AggregatedMetrics(
        hub.AggregatedMetricsRequest(minutes=5, at_least=first.position), timeout=30
    )
    for each in totals.by_currency:
        print(f"last 5 minutes: {each.event_count} events, net {each.net_amount_exact} {each.currency}")

    # From the start of the log; a program that goes on keeps the position of the last event it took.
    stream = service.StreamEvents(hub.StreamRequest(after="start", follow=True), timeout=60)
    for stored in stream:
        if stored.id == event.id:
            print("followed:", stored.id, stored.amount_exact, stored.currency)
            break
    stream.cancel()
