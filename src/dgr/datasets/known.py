"""What is known of a source beside what it must hold: terms, addresses, hashes, and what may stand in for it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from dgr.config.sources import SourceConfig, read_source
from dgr.core.errors import DGRError, nearest
from dgr.datasets.digests import Digests, read_digests
from dgr.datasets.publishers import Publisher, read_publishers


class Larger(NamedTuple):
    """The same pictures in more pixels, to be taken in a source's place.

    Attributes:
        source: their configuration.
        publisher: their terms, and where their files lie.
    """

    source: SourceConfig
    publisher: Publisher


class Known(NamedTuple):
    """What is known of a source beside its configuration.

    Attributes:
        publisher: its terms, and where its files lie; None where nobody is known.
        digests: of its files; none where they were never measured.
        larger: what may come in its place; None where there is no such thing.
    """

    publisher: Publisher | None = None
    digests: Digests = {}
    larger: Larger | None = None


NOTHING = Known()


def known_source(configs: Path, name: str) -> Known:
    """What the files of ``configs`` say of a source.

    Raises:
        DGRError: one of them is missing or wrong.
    """
    publishers = read_publishers(configs)
    publisher = publishers.get(name)
    larger = None
    if publisher and publisher.larger:
        if publisher.larger not in publishers:
            raise DGRError(
                f"{configs / 'publishers.yaml'}: '{name}' names '{publisher.larger}', which it does not describe"
                f"{nearest(publisher.larger, publishers)}"
            )
        larger = Larger(read_source(configs, publisher.larger), publishers[publisher.larger])
    return Known(publisher, read_digests(configs).get(name, {}), larger)
