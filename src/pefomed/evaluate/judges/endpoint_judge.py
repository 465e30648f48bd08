"""A language model behind an OpenAI-compatible endpoint as judge, asked N times with N seeds.

Replies are kept as they come (`replies`), verdicts follow from them (`parse`): a judging that is stopped at
any point, killed too, goes on with what is open. A call that got no reply is no verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from pefomed import jsonl
from pefomed.endpoint import Client, Open, Request, ask_all, completion
from pefomed.errors import Interrupted
from pefomed.evaluate.judges.card import counts, read_card, results_by_task, write_card
from pefomed.evaluate.judges.items import Item
from pefomed.evaluate.judges.prompts import Pair, messages, reply_schema, rules_hash
from pefomed.evaluate.judges.replies import (
    Reply,
    alone,
    card_path,
    read_replies,
    replies_path,
    verdicts_path,
)
from pefomed.evaluate.judges.work import KIND, Job, Settings, Work, label_of, prepare, write_verdicts
from pefomed.progress import line
from pefomed.schema import Verdict

__all__ = ["Settings", "Work", "carry_out", "prepare"]


def carry_out(work: Work) -> dict[str, Any]:
    """Ask what is open, and write replies, verdicts and the card; return the card.

    Raises:
        EndpointError: the endpoint cannot be used; what was answered is kept.
        Interrupted: the user stopped it; what was answered is kept.
        RunError: another process judges as this rater.
        StorageError: the disk is full.
    """
    with alone(work.run, work.rater):
        # Another process may have answered some of it since it was planned.
        work.replies = read_replies(replies_path(work.run, work.rater))
        still_open: list[Open[Job]] = []
        dropped: dict[str, str] = {}
        # Before the first call: should this be killed, the next one sees with which settings it was made.
        write_card(work.run, work.rater, _card(work, write_verdicts(work), (), {}))
        try:
            if jobs := work.jobs():
                still_open = asyncio.run(_ask(work, jobs, dropped))
        except KeyboardInterrupt:
            raise Interrupted(
                f"stopped: {len(work.replies):,} replies are kept, {len(work.jobs()):,} calls are open",
                remedy="run the same command again: it asks only what is open",
            ) from None
        finally:
            card = _card(work, write_verdicts(work), still_open, dropped)
            write_card(work.run, work.rater, card)
            if not work.replies:
                _remove_empty(work)
    return card


def _remove_empty(work: Work) -> None:
    """Leave no trace of a judge that never answered."""
    for path in (verdicts_path(work.run, work.rater), replies_path(work.run, work.rater)):
        if path.exists() and not path.stat().st_size:
            path.unlink()
    card_path(work.run, work.rater).unlink()


async def _ask(work: Work, jobs: Sequence[Job], dropped: dict[str, str]) -> list[Open[Job]]:
    sharing: dict[str, list[tuple[Item, int]]] = {}
    for item, number, key in work.wanted(range(work.runs)):
        sharing.setdefault(key, []).append((item, number))
    with (
        jsonl.writer(replies_path(work.run, work.rater)) as keep_reply,
        jsonl.writer(verdicts_path(work.run, work.rater)) as keep_verdict,
        line(f"judging as {work.rater}", len(jobs), "calls") as shown,
    ):
        async with Client(work.endpoint) as client:

            async def send(job: Job) -> str:
                return await client.ask(_request(job, work.settings))

            def keep(job: Job, body: str) -> None:
                # The reply first: from it the verdict can be made again, not the other way round.
                reply = Reply(
                    key=job.key,
                    run=job.run,
                    sample_id=job.sample_id,
                    model=work.endpoint.model,
                    base_url=work.endpoint.base_url,
                    body=body,
                )
                keep_reply(reply)
                work.replies[job.key] = reply
                label = label_of(reply, job.pair)
                for item, number in sharing.get(job.key, ()):
                    keep_verdict(work.verdict(item, number, label))
                shown.advance()

            try:
                return await ask_all(jobs, send, keep, work.endpoint.concurrency)
            finally:
                dropped |= client.dropped


def _request(job: Job, settings: Settings) -> Request:
    return Request(
        messages=messages(job.pair),
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        seed=settings.seed + job.run,
        schema=reply_schema(job.pair.scale) if settings.structured else None,
    )


def _all_alike(work: Work) -> bool | None:
    """Return whether every prompt got the same text in all of its runs; None if none had two."""
    texts: dict[Pair, list[str]] = {}
    for pair in work.pairs:
        replies = [work.replies.get(work.key(pair, number)) for number in work.all_runs]
        texts[pair] = [completion(reply.body).text for reply in replies if reply is not None]
    several = [found for found in texts.values() if len(found) > 1]
    return all(len(set(found)) == 1 for found in several) if several else None


def _card(
    work: Work, verdicts: Sequence[Verdict], still_open: Sequence[Open[Job]], dropped: Mapping[str, str]
) -> dict[str, Any]:
    used = {key: completion(work.replies[key].body) for key in work.every_key() if key in work.replies}
    missing = sum(key not in work.replies for _, _, key in work.wanted(range(work.runs)))
    before = (read_card(work.run, work.rater) or {}).get("settings", {})
    return {
        "kind": KIND,
        "title": f"{work.endpoint.model}, a language model",
        "about": "Asked with the question, the reference and the answer, never the image. VQA: 1 or 0;"
        " reports: 0 to 4. Items with the same three texts share one reply a run.",
        "runs": len({verdict.run for verdict in verdicts}),
        "settings": {
            **work.record,
            "rules": rules_hash(),
            "base_urls": sorted({reply.base_url for reply in work.replies.values()}),
            "replied_as": sorted({found.model for found in used.values() if found.model}),
            "not_supported": {**before.get("not_supported", {}), **dropped},
        },
        "calibration": work.calibration(),
        "counts": counts(len(work.items), verdicts, missing),
        "results": results_by_task(work.items, verdicts),
        # Some servers take a seed and ignore it: runs that never differ have a spread that says nothing.
        "runs_all_alike": _all_alike(work),
        "usage": {
            "replies": len(used),
            "prompt_tokens": sum(found.tokens_in or 0 for found in used.values()),
            "completion_tokens": sum(found.tokens_out or 0 for found in used.values()),
        },
        "open_because": sorted({each.why for each in still_open})[:5],
    }
