"""What can be known before the first training step is checked before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pefomed.startup.faces import lazily

if TYPE_CHECKING:
    from pefomed.workflow.checks.check import CheckReport, check

__all__ = ["CheckReport", "check"]

__getattr__ = lazily(__name__, {"CheckReport": ".check", "check": ".check"})
