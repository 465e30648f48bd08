"""A language model behind an OpenAI-compatible endpoint as judge, asked N times with N seeds.

Replies are kept as they come (`replies`), verdicts follow from them (`parse`): a judging that is stopped at
any point, killed too, goes on with what is open. A call that got no reply is no verdict. The card's pairs are
asked first: a judge that cannot be read ends there (`first_replies`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from pefomed.endpoint import Client, OpenJob, ask_all, completion
from pefomed.endpoint.many import GIVE_UP
from pefomed.errors import Interrupted
from pefomed.files import jsonl
from pefomed.judges.card import counts, read_card, results_by_task, write_card
from pefomed.judges.first_replies import UnreadableJudge, ask_until_whole, check_readable
from pefomed.judges.items import JudgeItem
from pefomed.judges.prompts import JudgedPair, rules_hash
from pefomed.judges.replies import (
    Reply,
    alone,
    read_replies,
)
from pefomed.judges.work import (
    CALIBRATION,
    KIND,
    Job,
    JudgeSettings,
    Work,
    label_of,
    prepare,
    write_verdicts,
)
from pefomed.progress import line
from pefomed.runs import RunFolder
from pefomed.schema import Verdict

__all__ = ["JudgeSettings", "UnreadableJudge", "Work", "carry_out", "prepare"]


def carry_out(work: Work) -> dict[str, Any]:
    """Ask what is open, and write replies, verdicts and the card; return the card.

    Raises:
        EndpointError: the endpoint cannot be used; what was answered is kept.
        UnreadableJudge: most replies to the card's pairs cannot be read; they are kept, and nothing else.
        Interrupted: the user stopped it; what was answered is kept.
        RunError: another process judges as this rater.
        StorageError: the disk is full.
    """
    with alone(work.run, work.rater):
        # Another process may have answered some of it since it was planned.
        work.replies = read_replies(RunFolder(work.run).replies_file(work.rater))
        still_open: list[OpenJob[Job]] = []
        dropped: dict[str, str] = {}
        readable = True
        # Before the first call: should this be killed, the next one sees with which settings it was made.
        write_card(work.run, work.rater, _card(work, write_verdicts(work), (), {}))
        try:
            if jobs := work.jobs():
                still_open = asyncio.run(_ask(work, jobs, dropped))
        except UnreadableJudge:
            readable = False
            raise
        except KeyboardInterrupt:
            raise Interrupted(
                f"stopped: {len(work.replies):,} replies are kept, {len(work.jobs()):,} calls are open",
                remedy="run the same command again: it asks only what is open",
            ) from None
        finally:
            card = _card(work, write_verdicts(work), still_open, dropped)
            write_card(work.run, work.rater, card)
            if not work.replies or not (readable or work.verdicts()):
                _remove_empty(work)
    return card


def _remove_empty(work: Work) -> None:
    """Leave no trace of a judge that never answered, and of one that cannot be read what it replied.

    Without a card it may be asked under the same name with other settings.
    """
    for path in (RunFolder(work.run).verdicts_file(work.rater), RunFolder(work.run).replies_file(work.rater)):
        if path.exists() and not path.stat().st_size:
            path.unlink()
    RunFolder(work.run).rater_card(work.rater).unlink()


async def _ask(work: Work, jobs: Sequence[Job], dropped: dict[str, str]) -> list[OpenJob[Job]]:
    sharing: dict[str, list[tuple[JudgeItem, int]]] = {}
    for item, number, key in work.wanted(range(work.runs)):
        sharing.setdefault(key, []).append((item, number))
    with (
        jsonl.writer(RunFolder(work.run).replies_file(work.rater)) as keep_reply,
        jsonl.writer(RunFolder(work.run).verdicts_file(work.rater)) as keep_verdict,
        line(f"judging as {work.rater}", len(jobs), "calls") as shown,
    ):
        async with Client(work.endpoint) as client:

            async def send(job: Job) -> str:
                return await ask_until_whole(work, job, client, keep_reply)

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
                first = [job for job in jobs if job.sample_id == CALIBRATION and job.run == 0]
                rest = [job for job in jobs if job not in first]
                still_open = await ask_all(first, send, keep, work.endpoint.concurrency) if first else []
                if len(still_open) >= GIVE_UP:
                    return still_open + [OpenJob(job, still_open[-1].why) for job in rest]
                check_readable(work)
                return still_open + await ask_all(rest, send, keep, work.endpoint.concurrency)
            finally:
                dropped |= client.dropped


def _all_alike(work: Work) -> bool | None:
    """Return whether every prompt got the same text in all of its runs; None if none had two."""
    texts: dict[JudgedPair, list[str]] = {}
    for pair in work.pairs:
        replies = [work.replies.get(work.key(pair, number)) for number in work.all_runs]
        texts[pair] = [completion(reply.body).text for reply in replies if reply is not None]
    several = [found for found in texts.values() if len(found) > 1]
    return all(len(set(found)) == 1 for found in several) if several else None


def _card(
    work: Work, verdicts: Sequence[Verdict], still_open: Sequence[OpenJob[Job]], dropped: Mapping[str, str]
) -> dict[str, Any]:
    keys = work.every_key()
    used = {key: completion(work.replies[key].body) for key in keys if key in work.replies}
    again = [completion(reply.body) for key in keys for reply in work.tries(key)]
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
            "tried_again": len(again),
            "prompt_tokens": sum(found.tokens_in or 0 for found in [*used.values(), *again]),
            "completion_tokens": sum(found.tokens_out or 0 for found in [*used.values(), *again]),
        },
        "open_because": sorted({each.why for each in still_open})[:5],
    }
