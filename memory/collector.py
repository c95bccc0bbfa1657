"""The spans of a run, sent to any OpenTelemetry collector as they end, if the environment names one.

`OTEL_EXPORTER_OTLP_ENDPOINT` turns it on; headers, protocol, timeout, certificates, service name and resource
attributes are read from the variables that OpenTelemetry has for them. A thread of its own sends what is in a bounded
queue: no step waits for it, and nothing that goes wrong with it reaches the session. What was not sent is still in the
trace.
"""

import json
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .conventions import ASKED, ERROR, OPERATION, outward
from .errors import UnavailableError, UsageError
from .secrets import Secrets
from .spans import Span, Spans
from .trace import Ended, Trace

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

logger = logging.getLogger(__name__)

MOST = 50_000
"""Spans that wait at most; beyond that the newest are left out."""
BATCH = 512
"""Spans of one request."""
PAUSE = 1.0
"""Seconds between two looks at the queue."""
LONGEST_PAUSE = 30.0
"""Seconds until a collector that took nothing is asked again; it begins with `PAUSE` and doubles."""
FAREWELL = 5.0
"""Seconds a session waits at its end for what is left to be sent."""
NANO = 1_000_000_000


def open_trace(path: Path, *, since: float | None = None) -> Trace:
    """Open the trace of a run as the environment wants it: without its secrets, and sent where it says."""
    trace = Trace(path, since=since, hidden=Secrets.here())
    where = address(os.environ)
    if where:
        run = path.resolve().parent.name
        trace.sink = Collector(lambda: _exporter(os.environ), where=where, convert=Outward(trace.identity, run))
    return trace


def address(variables: Mapping[str, str]) -> str:
    """Where spans go; empty for nowhere."""
    chosen = [name.strip() for name in variables.get("OTEL_TRACES_EXPORTER", "otlp").split(",")]
    if variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or "otlp" not in chosen:
        return ""
    named = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return next((where for name in named if (where := variables.get(name, "").strip())), "")


class Outward:
    """Makes OpenTelemetry's spans of ours.

    A trace of OpenTelemetry has the identity of the run, and so has what a resumed session adds. Ids of spans are ours,
    shifted by the beginning of that identity, since some stores want them to differ between traces, too.
    """

    def __init__(self, identity: str, run: str) -> None:
        self.trace = int(identity, 16)
        self._shift = self.trace >> 64
        self._run = run
        self._resource: Resource | None = None

    def id(self, own: str) -> int:
        """Give the id of a span in 64 bits."""
        return int(own, 16) ^ self._shift

    def __call__(self, span: Ended) -> "ReadableSpan":
        """Make one span."""
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
        from opentelemetry.trace.status import Status, StatusCode

        def context(id: str) -> SpanContext:
            return SpanContext(self.trace, self.id(id), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

        known = json.loads(span.attributes)
        failed = span.status != "ok"
        start = int(span.started * NANO)
        return ReadableSpan(
            span.name,
            context(span.id),
            context(span.parent) if span.parent else None,
            self._about(),
            outward(known) | ({ERROR: span.status} if failed else {}),
            kind=SpanKind.CLIENT if known.get(OPERATION) in ASKED else SpanKind.INTERNAL,
            instrumentation_scope=InstrumentationScope("evolvent"),
            status=Status(StatusCode.ERROR, span.status) if failed else Status(StatusCode.OK),
            start_time=start,
            end_time=start + int(span.seconds * NANO),
        )

    def _about(self) -> "Resource":
        """What the spans come from; the environment's own word goes first."""
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource

        if self._resource is None:
            own = Resource({"service.name": "evolvent", "evolvent.run": self._run})
            self._resource = own.merge(OTELResourceDetector().detect())
        return self._resource


class Collector:
    """Sends spans from a thread of its own.

    Args:
        exporter: makes what sends them; called in that thread.
        where: the collector, for messages.
        convert: makes OpenTelemetry's spans of ours.
    """

    def __init__(
        self, exporter: "Callable[[], SpanExporter]", *, where: str, convert: "Callable[[Ended], ReadableSpan]"
    ) -> None:
        self.where = where
        self.sent = 0
        self._connect = exporter
        self._convert = convert
        self._exporter: SpanExporter | None = None
        self._waiting: deque[Ended] = deque()
        self._warned = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="collector", daemon=True)
        self._thread.start()

    def take(self, span: Ended) -> None:
        """Take a span, unless too many wait already."""
        if len(self._waiting) < MOST:
            self._waiting.append(span)
        else:
            self._warn("it is too slow")

    def close(self) -> None:
        """Send what is left for a few seconds, and then leave it."""
        self._closing.set()
        self._thread.join(FAREWELL)
        if self._exporter is not None:
            # also ends the waiting of a request that is tried again
            self._exporter.shutdown()
        if self._waiting:
            self._warn("it took too long")

    def _work(self) -> None:
        pause = PAUSE
        while True:
            last = self._closing.wait(pause)
            while self._waiting:
                if not self._send():
                    pause = min(2 * pause, LONGEST_PAUSE)
                    break
                pause = PAUSE
            if last:
                return

    def _send(self) -> bool:
        """Send the spans that have waited longest; they wait on where that fails."""
        some = [self._waiting[i] for i in range(min(BATCH, len(self._waiting)))]
        try:
            from opentelemetry.sdk.trace.export import SpanExportResult

            if self._exporter is None:
                self._exporter = self._connect()
            done = self._exporter.export([self._convert(span) for span in some]) is SpanExportResult.SUCCESS
            reason = "it takes none"
        except Exception as error:  # whatever it is, it may not end a session that only wanted to be watched
            done, reason = False, " ".join(f"{error}".split()) or type(error).__name__
        if not done:
            self._warn(reason)
            return False
        self.sent += len(some)
        for _ in some:
            self._waiting.popleft()
        return True

    def _warn(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "collector %s does not get every span (%s); all are in the run, and `evolvent trace send` sends them",
                Secrets.here().redact(self.where),
                Secrets.here().redact(reason),
            )


def send(spans: Spans, variables: Mapping[str, str]) -> int:
    """Send all ended spans of a run, whether or not they were sent before; give their number.

    Raises:
        UsageError: the environment names no collector.
        UnavailableError: it does not take them.
    """
    from opentelemetry.sdk.trace.export import SpanExportResult

    where = address(variables)
    if not where:
        raise UsageError("no collector to send to; try: export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318")
    convert, exporter, count = Outward(spans.identity(), spans.path.resolve().parent.name), _exporter(variables), 0
    try:
        for some in spans.all(at_once=BATCH):
            if exporter.export([convert(_ended(span)) for span in some]) is not SpanExportResult.SUCCESS:
                raise UnavailableError(
                    f"collector {where}: takes no spans after {count:,}; is it up, and are its headers right?"
                )
            count += len(some)
    finally:
        exporter.shutdown()
    return count


def _ended(span: Span) -> Ended:
    known = json.dumps(span.attributes, ensure_ascii=False)
    return Ended(span.id, span.parent, span.name, span.started, span.seconds, span.status, known)


def _exporter(variables: Mapping[str, str]) -> "SpanExporter":
    """What speaks the protocol the environment asks for.

    Raises:
        UsageError: nobody here speaks it.
    """
    names = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    protocol = next((said for name in names if (said := variables.get(name, "").strip())), "http/protobuf")
    # its own word for a collector that is away, said at every try, would stand between the lines of a session
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    if protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    raise UsageError(f"OTEL_EXPORTER_OTLP_PROTOCOL {protocol!r} is not spoken here; use http/protobuf or grpc")
