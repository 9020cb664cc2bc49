"""An OTLP collector for tests: takes ExportTraceServiceRequests as JSON over HTTP, reads them with OpenTelemetry's own messages (unknown members
are faults) and checks them by the published shape (ids in hex, 64-bit numbers as text, enums as numbers)."""
import base64
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SPAN_KEYS = {"traceId", "spanId", "parentSpanId", "flags", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes", "status"}
VALUES = {"stringValue": str, "boolValue": bool, "intValue": str, "doubleValue": (int, float)}


def check_attributes(attributes):
    for attribute in attributes:
        assert set(attribute) == {"key", "value"} and attribute["key"], attribute
        (kind, value), = attribute["value"].items()
        assert isinstance(value, VALUES[kind]), attribute
        assert kind != "intValue" or re.fullmatch(r"-?\d+", value), attribute


def read_by_its_messages(body):
    """As OpenTelemetry's own protobuf messages have it; its JSON has ids in hex where protobuf's has base64."""
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    copy = json.loads(json.dumps(body))
    for resource in copy["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in span:
                        span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    return json_format.ParseDict(copy, ExportTraceServiceRequest())


def check_request(body):
    """The spans of one export, or an AssertionError."""
    spans = []
    message = read_by_its_messages(body)
    assert all(len(span.trace_id) == 16 and len(span.span_id) == 8 for one in message.resource_spans for scope in one.scope_spans for span in scope.spans)
    assert set(body) == {"resourceSpans"}, body.keys()
    for resource in body["resourceSpans"]:
        check_attributes(resource["resource"]["attributes"])
        assert any(one["key"] == "service.name" for one in resource["resource"]["attributes"])
        for scope in resource["scopeSpans"]:
            assert set(scope["scope"]) <= {"name", "version"}
            for span in scope["spans"]:
                assert set(span) <= SPAN_KEYS, span.keys() - SPAN_KEYS
                assert re.fullmatch(r"[0-9a-f]{32}", span["traceId"]) and re.fullmatch(r"[0-9a-f]{16}", span["spanId"]), span
                assert re.fullmatch(r"[0-9a-f]{16}", span.get("parentSpanId", "0" * 16)), span
                assert span["kind"] in (1, 2, 3) and span["status"]["code"] in (0, 1, 2) and span["name"], span
                assert re.fullmatch(r"\d{19}", span["startTimeUnixNano"]) and re.fullmatch(r"\d{19}", span["endTimeUnixNano"]), span
                assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]), span
                check_attributes(span["attributes"])
                spans.append(span)
    return spans


def attributes_of(span):
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def check_trace(spans, parent, stages):
    """One server span under the caller's, and one span a stage under it, one after the other, that add up."""
    server, = [span for span in spans if span["kind"] == 2]
    assert server.get("parentSpanId") == parent, server
    under = [span for span in spans if span is not server]
    assert [span["name"] for span in under] == stages, [span["name"] for span in under]
    assert all(span["parentSpanId"] == server["spanId"] for span in under)
    ends = [server["startTimeUnixNano"]] + [span["endTimeUnixNano"] for span in under]
    assert [span["startTimeUnixNano"] for span in under] == ends[:-1], "stages follow each other"
    took = int(server["endTimeUnixNano"]) - int(server["startTimeUnixNano"])
    assert int(server["endTimeUnixNano"]) - int(ends[-1]) <= took // 20, "the stages add up to the whole"
    about = attributes_of(server)
    for key in ("http.request.method", "http.route", "http.response.status_code", "gen_ai.operation.name", "gen_ai.provider.name",
                "gen_ai.request.model", "gen_ai.response.model"):
        assert about.get(key), f"{key} is missing: {about}"
    return server


class Collector:
    def __init__(self, status=200):
        self.status, self.spans, self.bodies, self.faults, self.lock = status, [], [], [], threading.Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                with collector.lock:
                    collector.bodies.append(text)
                    try:
                        assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
                        collector.spans += check_request(json.loads(text))
                    except Exception as fault:  # noqa: BLE001 - whatever is wrong with it is told by the test.
                        collector.faults.append(repr(fault))
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def wait_for(self, trace, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with self.lock:
                assert not self.faults, self.faults
                found = [span for span in self.spans if span["traceId"] == trace]
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"no trace {trace} came within {seconds} s")
