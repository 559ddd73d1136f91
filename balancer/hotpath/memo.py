"""What was parsed before, under the octets it was parsed from. Bounded; knows nothing of what it keeps."""


class Memo:
    """What was parsed before, under the octets it was parsed from. At most 2 x `entries` blocks of at most `largest` octets.

    Two generations: when the young one is full, it becomes the old one and the old one is forgotten, so that blocks in use
    survive a flood of others.
    """

    def __init__(self, entries: int, largest: int) -> None:
        self.entries = entries
        self.largest = largest
        self.young: dict[bytes, object] = {}
        self.old: dict[bytes, object] = {}

    def get(self, block: bytes) -> object:
        """What was put under the block, or None."""
        if len(block) > self.largest:
            return None
        found = self.young.get(block)
        if found is None:
            found = self.old.get(block)
            if found is not None:
                self.put(block, found)
        return found

    def put(self, block: bytes, parsed: object) -> None:
        """Remember it, unless the block is large."""
        if len(block) > self.largest:
            return
        if len(self.young) >= self.entries:
            self.old = self.young
            self.young = {}
        self.young[block] = parsed
