"""Any OpenAI-compatible server: one careful call, many at once, and what may be sent to it."""

from pefomed.endpoint.address import check_may_leave, checked_base_url, is_loopback, is_loopback_host
from pefomed.endpoint.client import Client, Endpoint, EndpointRequest
from pefomed.endpoint.completion import Completion, completion
from pefomed.endpoint.failures import EndpointError
from pefomed.endpoint.many import OpenJob, ask_all
from pefomed.metrics.thoughts import without_thoughts

__all__ = [
    "Client",
    "Completion",
    "Endpoint",
    "EndpointError",
    "EndpointRequest",
    "OpenJob",
    "ask_all",
    "check_may_leave",
    "checked_base_url",
    "completion",
    "is_loopback",
    "is_loopback_host",
    "without_thoughts",
]
