"""One careful call to an OpenAI-compatible server: paced, timed, retried, and checked to be its own.

The `openai` client carries it; its own retries are off, so that every attempt is ours to count.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pefomed.endpoint.address import checked_base_url, is_loopback
from pefomed.endpoint.completion import completion, is_filtered, same_model
from pefomed.endpoint.failures import BadBody, EndpointError, Rejected, Unreachable
from pefomed.endpoint.pace import Pace, backoff, retry_after
from pefomed.errors import PackageError

if TYPE_CHECKING:
    import openai

_FATAL = {401: "the key is refused", 403: "access is refused", 404: "there is no such address or model"}
_AGAIN = (408, 409, 425, 429)

_DISPENSABLE = {
    "response_format": "strict parsing of the text",
    "max_tokens": "max_completion_tokens",
    "seed": "no seed",
}
_NAMES = {"response_format": "response_format|json_schema|guided|structured"}


@dataclass(frozen=True)
class Endpoint:
    """Where to ask, and how hard to try."""

    base_url: str
    model: str
    key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key; a server on this machine needs none."""
    served_as: str | None = None
    """What the server calls the model in its replies, where that is another name."""
    timeout: float = 120.0
    """Seconds for one attempt from start to end, however slowly it drips."""
    attempts: int = 6
    first_wait: float = 1.0
    """Seconds before the second attempt; doubled for each further one."""
    concurrency: int = 8
    per_minute: float | None = None


@dataclass(frozen=True)
class EndpointRequest:
    """What is asked."""

    messages: Sequence[Mapping[str, Any]]
    max_tokens: int
    temperature: float
    seed: int | None = None
    schema: Mapping[str, Any] | None = None
    """JSON schema of the reply, used where the server supports it."""


class Client:
    """An open connection; use it as `async with`."""

    def __init__(self, endpoint: Endpoint):
        self.endpoint = endpoint
        self.base_url = checked_base_url(endpoint.base_url)
        self.dropped: dict[str, str] = {}
        """Parameters the server does not take -> what is done instead."""
        self._pace = Pace(endpoint.per_minute)
        self._key = _key(endpoint)
        self._client: openai.AsyncOpenAI | None = None

    async def __aenter__(self) -> Client:
        try:
            import openai
        except PackageError:
            raise
        except ModuleNotFoundError:
            raise EndpointError(
                "the `openai` package is not installed", remedy="pip install 'pefomed[judge]'"
            ) from None
        loopback = is_loopback(self.base_url)
        self._client = openai.AsyncOpenAI(
            base_url=self.base_url,
            api_key=self._key or "none",
            max_retries=0,
            timeout=self.endpoint.timeout,
            # A redirect or a proxy could carry the data off this machine.
            http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False, trust_env=not loopback),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.close()

    async def ask(self, request: EndpointRequest) -> str:
        """Return the reply's whole body, verbatim but for the key, should the server repeat it.

        Raises:
            EndpointError: the endpoint cannot be used at all, or another model answers.
            Unanswered: no reply after all attempts.
        """
        failure, attempt = "", 0
        while attempt < self.endpoint.attempts:
            if attempt:
                await asyncio.sleep(backoff(attempt - 1, self.endpoint.first_wait))
            attempt += 1
            await self._pace.turn()
            sent = self._parameters(request)
            try:
                async with asyncio.timeout(self.endpoint.timeout):
                    status, headers, body = await self._send(sent)
                if status < 300:
                    self._check(body)
                    return body
            except (TimeoutError, BadBody) as error:
                failure = str(error) or f"no whole reply within {self.endpoint.timeout:g} s"
                continue
            if is_filtered(body):
                return body
            failure = f"HTTP {status}: {_message(body)}"
            if status in (400, 422) and self._adapt(sent, body):
                attempt -= 1
                continue
            if status in _FATAL or "insufficient_quota" in body:
                raise EndpointError(
                    f"{self.base_url}: {_FATAL.get(status, 'the quota is used up')}",
                    found=failure,
                    remedy=f"check {self.endpoint.key_env}, the base URL and the model's name"
                    if status in _FATAL
                    else "raise it, then run the same command again: it asks only what is open",
                )
            if status < 500 and status not in _AGAIN:
                raise Rejected(failure)
            if (wanted := retry_after(headers.get("retry-after"))) is not None:
                self._pace.pause(wanted)
        raise Unreachable(f"{failure} ({attempt} attempts)")

    async def _send(self, parameters: dict[str, Any]) -> tuple[int, Mapping[str, str], str]:
        import openai

        assert self._client is not None, "use the client as `async with`"
        try:
            raw = await self._client.chat.completions.with_raw_response.create(**parameters)
            response = raw.http_response
        except openai.APIStatusError as error:
            response = error.response
        except openai.APITimeoutError:
            raise TimeoutError from None
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            raise BadBody(f"no connection or a broken one: {cause}") from None
        return response.status_code, response.headers, self._without_key(response.text)

    def _parameters(self, request: EndpointRequest) -> dict[str, Any]:
        parameters: dict[str, Any] = {
            "model": self.endpoint.model,
            "messages": list(request.messages),
            "temperature": request.temperature,
        }
        length = "max_completion_tokens" if "max_tokens" in self.dropped else "max_tokens"
        parameters[length] = request.max_tokens
        if request.seed is not None and "seed" not in self.dropped:
            parameters["seed"] = request.seed
        if request.schema is not None and "response_format" not in self.dropped:
            schema = {"name": "reply", "strict": True, "schema": request.schema}
            parameters["response_format"] = {"type": "json_schema", "json_schema": schema}
        return parameters

    def _adapt(self, sent: Mapping[str, Any], body: str) -> bool:
        """Return whether a refused parameter can be done without; it is dropped for all further calls."""
        for name, instead in _DISPENSABLE.items():
            if name in sent and re.search(_NAMES.get(name, rf"\b{name}\b"), _message(body)):
                self.dropped[name] = instead
                return True
        return False

    def _check(self, body: str) -> None:
        replied = completion(body).model
        wanted = self.endpoint.served_as or self.endpoint.model
        if replied is not None and not same_model(wanted, replied):
            raise EndpointError(
                f"{self.base_url} answers with another model than {wanted!r}",
                found=repr(self._without_key(replied)),
                remedy="correct --model, or if this is the one you mean add --served-as with that name",
            )

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key and len(self._key) >= 6 else text


def _key(endpoint: Endpoint) -> str:
    key = os.environ.get(endpoint.key_env, "").strip()
    if not key and not is_loopback(endpoint.base_url):
        raise EndpointError(
            f"{endpoint.base_url} needs a key",
            found=f"the environment variable {endpoint.key_env} is not set",
            remedy="export it, or name another one with --api-key-env",
        )
    return key


def _message(body: str) -> str:
    return " ".join(body.split())[:300] or "an empty body"
