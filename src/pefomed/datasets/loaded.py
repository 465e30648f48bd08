"""What a loader yields, checked: a mistake in one's own loader is one error that names it and the field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pydantic import ValidationError

from pefomed.errors import DataError, RecordError
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample


def checked_records(load: Callable[[], Iterable[Sample | LeftOut]], where: str) -> Iterator[Sample | LeftOut]:
    """Yield what `load()` yields, or returns as a list; `where` names the loader and the split.

    Raises:
        DataError: it yields something else than samples, or a sample with a wrong field.
    """
    try:
        found = load()
        if not isinstance(found, Iterable):
            raise DataError(
                f"{where}: a loader yields samples",
                found=repr(found)[:80],
                remedy="use `yield`, or return a list",
            )
        for each in found:
            if not isinstance(each, Sample | LeftOut):
                raise DataError(
                    f"{where}: a loader yields records of the type Sample",
                    found=f"{type(each).__name__}: {each!r:.80}",
                    remedy="make each with `pefomed.Sample(...)`",
                )
            yield each
    except RecordError as error:
        raise DataError(f"{where}: {error.problem}", found=error.found, remedy=error.remedy) from None
    except ValidationError as error:  # e.g. a list where a text should be
        detail = error.errors(include_url=False)[0]
        raise DataError(
            f"{where}: a record is not valid",
            found=f"{'.'.join(map(str, detail['loc']))} = {detail['input']!r:.80}: {detail['msg']}",
            remedy="correct the record, or download the data set again",
        ) from None
