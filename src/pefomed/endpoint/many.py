"""Many calls at once, every answer kept as it comes, and an end when the server is dead."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pefomed.endpoint.failures import EndpointError, Unanswered, Unreachable

J = TypeVar("J")

GIVE_UP = 3
"""Jobs in a row that get no answer after all their attempts, until the rest is not tried any more."""


@dataclass(frozen=True)
class OpenJob(Generic[J]):
    """A job without an answer, and why."""

    job: J
    why: str


async def ask_all(
    jobs: Sequence[J],
    send: Callable[[J], Awaitable[str]],
    keep: Callable[[J, str], None],
    concurrency: int,
) -> list[OpenJob[J]]:
    """Send every job and hand each answer to `keep` at once; return the jobs that got none.

    Until the first answer jobs are sent one at a time: a wrong key or model costs one call.

    Raises:
        EndpointError: the endpoint cannot be used, or refuses the first requests. What was answered
            before is kept.
    """
    left = list(reversed(jobs))
    still_open: list[OpenJob[J]] = []
    unreached = answered = 0

    async def one(job: J) -> None:
        nonlocal unreached, answered
        try:
            answer = await send(job)
        except Unanswered as error:
            still_open.append(OpenJob(job, str(error)))
            unreached += isinstance(error, Unreachable)
        else:
            unreached, answered = 0, answered + 1
            keep(job, answer)

    async def worker() -> None:
        while left and unreached < GIVE_UP:
            await one(left.pop())

    while left and not answered and len(still_open) < GIVE_UP:
        await one(left.pop())
    if not answered and len(still_open) >= GIVE_UP and not unreached:
        raise EndpointError(
            f"the endpoint refuses the first {GIVE_UP} requests",
            found=still_open[0].why,
            remedy="check the model's name and the base URL (many servers want /v1 at its end)",
        )
    if answered:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(left))):
                    group.create_task(worker())
        except ExceptionGroup as errors:
            # The first is what happened; the other calls were cancelled or met the same.
            raise errors.exceptions[0] from None
    why = f"not tried, as the server failed: {still_open[-1].why}" if still_open else ""
    return still_open + [OpenJob(job, why) for job in reversed(left)]
