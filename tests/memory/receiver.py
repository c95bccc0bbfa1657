"""An OTLP receiver in a process of its own: it decodes what it gets with OpenTelemetry's own protobuf.

`python receiver.py FILE [STATUS [PORT]]` prints its address and appends one JSON line per span to FILE; with a status
other than 200 it takes nothing and answers that.
"""

import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


def values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


class Receiver(BaseHTTPRequestHandler):
    path_to = ""
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.status == 200:
            self.keep(ExportTraceServiceRequest.FromString(body))
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def keep(self, request: Any) -> None:
        with open(self.path_to, "a", encoding="utf-8") as file:
            for whole in request.resource_spans:
                for span in (span for scope in whole.scope_spans for span in scope.spans):
                    known = {
                        "path": self.path,
                        "key": self.headers.get("x-key", ""),
                        "resource": values(whole.resource.attributes),
                        "trace": span.trace_id.hex(),
                        "id": span.span_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "name": span.name,
                        "kind": span.kind,
                        "status": span.status.code,
                        "start": span.start_time_unix_nano,
                        "end": span.end_time_unix_nano,
                        "attributes": values(span.attributes),
                    }
                    file.write(json.dumps(known) + "\n")

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


if __name__ == "__main__":
    Receiver.path_to = sys.argv[1]
    Receiver.status = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    port = sys.argv[3] if len(sys.argv) > 3 else "0"
    server = HTTPServer(("127.0.0.1", int(port)), Receiver)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
