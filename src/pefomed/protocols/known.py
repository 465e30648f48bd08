"""The protocols there are. A new one is an entry in `by_rule` or `by_judge`.

Definitions are in our words; the tests hold each against figures that the named code printed of the same
answers (`benchmarks/protocols.py` runs that code, outside of this project's environment).
"""

from __future__ import annotations

from pefomed.protocols.by_judge import BY_JUDGE
from pefomed.protocols.by_rule import BY_RULE
from pefomed.protocols.protocol import Protocol

PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in (*BY_RULE, *BY_JUDGE)}
"""Name -> protocol, in the order in which they are listed."""
