"""What all sources that list their pictures first have in common: a selection, and its facts."""

from impasto.data.sources.selection import Selection


class Listed:
    """A source whose names and labels are known before a picture is read."""

    credit: str | None = None
    encoded = True

    def __init__(self, name: str, chosen: Selection, notices: tuple[str, ...] = ()) -> None:
        self.name = name
        self.label_names = chosen.label_names
        self.number_names = chosen.number_names
        self.notices = (*notices, *chosen.notices)
        self._chosen = chosen

    def __len__(self) -> int:
        return len(self._chosen)
