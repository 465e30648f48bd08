"""What comes before a judging is paid for: a judge that can be read, and a whole reply to each call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pefomed.endpoint import Client, EndpointRequest, completion
from pefomed.endpoint.failures import Rejected
from pefomed.endpoint.pace import backoff
from pefomed.errors import RunError
from pefomed.judges.parse import parse
from pefomed.judges.prompts import JudgedPair, messages, reply_schema
from pefomed.judges.replies import Reply, key_of_try
from pefomed.judges.work import CALIBRATION, Job, Work, label_of
from pefomed.metrics.thoughts import without_thoughts

READABLE = 0.5
"""At least this share of the replies to the card's pairs of the first run has to hold a label."""

_NEXT_SEED = 1_000_003
"""Added for each further try: the same seed may give the same empty reply."""


class UnreadableJudge(RunError):
    """A judge whose replies hold no labels."""


async def ask_until_whole(work: Work, job: Job, client: Client, keep: Callable[[Reply], object]) -> str:
    """Return the first reply to `job` that is neither empty nor cut before its label.

    A cut reply is returned when the attempts are used up, and an empty one to a pair of the card: they are
    unscored. What was thrown away is handed to `keep`, as it is paid for.

    Raises:
        Rejected: every reply to this answer was empty.
        EndpointError, Unanswered: as of `Client.ask`.
    """
    before = len(work.tries(job.key))
    attempts = max(1, work.endpoint.attempts)
    for attempt in range(before, before + attempts):
        if attempt > before:
            await asyncio.sleep(backoff(attempt - before - 1, work.endpoint.first_wait))
        body = await client.ask(_request(work, job, attempt))
        fault = _fault(body, job.pair)
        last = attempt + 1 == before + attempts
        if fault is None or (last and (fault == "cut" or job.sample_id == CALIBRATION)):
            return body
        tried = Reply(
            key=key_of_try(job.key, attempt), run=job.run, sample_id=job.sample_id,
            model=work.endpoint.model, base_url=work.endpoint.base_url, body=body,
        )  # fmt: skip
        keep(tried)
        work.replies[tried.key] = tried
    raise Rejected(f"an empty reply ({attempts} attempts)")


def check_readable(work: Work) -> None:
    """See that the replies to the card's pairs of the first run can be read.

    Raises:
        UnreadableJudge: fewer than `READABLE` of them hold a label.
    """
    said = [
        label_of(work.replies[key], known.pair)
        for known in work.known
        if (key := work.key(known.pair, 0)) in work.replies
    ]
    unread = [label.reason for label in said if label.label is None]
    if len(said) - len(unread) < READABLE * len(said):
        cut = any("cut at the limit" in reason or "empty" in reason for reason in unread)
        raise UnreadableJudge(
            f"{work.rater} cannot be read: {len(unread)} of its {len(said)} replies to the calibration pairs"
            " hold no label; nothing else was asked",
            found="; ".join(dict.fromkeys(unread[:3])),
            remedy=(
                f"a model that thinks needs more than --max-tokens {work.settings.max_tokens}"
                if cut
                else "choose a model that replies with the label alone"
                + ("" if work.settings.structured else ", or leave out --no-schema")
            ),
        )


def _fault(body: str, pair: JudgedPair) -> str | None:
    reply = completion(body)
    if reply.refusal is not None or parse(reply, pair.scale).label is not None:
        return None
    if reply.finish == "length":
        return "cut"
    return None if without_thoughts(reply.text) else "empty"


def _request(work: Work, job: Job, attempt: int) -> EndpointRequest:
    settings = work.settings
    return EndpointRequest(
        messages=messages(job.pair),
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        seed=settings.seed + job.run + attempt * _NEXT_SEED,
        schema=reply_schema(job.pair.scale) if settings.structured else None,
    )
