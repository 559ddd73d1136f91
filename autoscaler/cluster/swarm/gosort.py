"""Puts a list in the order in which Go's `sort.Sort` leaves it, equal elements included (Go 1.19 and later).

That sort is not stable: from 13 elements on it moves equal ones about, always in the same way. Swarm sorts what it is about to remove
with it, so whoever wants to know which of two equal ones goes first has to take the same steps: insertion sort for up to 12
elements, otherwise a quicksort that looks for patterns (Peters, "Pattern-defeating Quicksort", arXiv 2106.05123). Its last resort, a
heap sort after many bad pivots, is left out: that would take a list made to provoke it. Pure.
"""

from collections.abc import Sequence

SHORT = 12  # elements that are sorted by insertion
_LONG = 50  # from which on a pivot is chosen from nine elements, and nearly sorted ranges are mended
_MENDED = 5  # elements out of order that are put right before that is given up
_ALL_REVERSED = 12  # comparisons of four medians
_MASK = (1 << 64) - 1
_SHIFTS, _FORMER_SHIFTS = (13, 7, 17), (13, 17, 5)  # of the generator that breaks patterns up (golang/go, issue 70144)


def go_sorted(keys: Sequence[float], since_1_24: bool = False) -> list[int]:
    """The positions of the keys in the order in which the sort leaves them, smallest key first.

    since_1_24: whether it is the sort of Go 1.24 or later.
    """
    sorting = _Sorting(keys, _SHIFTS if since_1_24 else _FORMER_SHIFTS)
    sorting.sort(0, len(keys))
    return sorting.order


class _Sorting:
    """order: positions in keys, moved about; ranges of it are given by their first element and the one after the last."""

    def __init__(self, keys: Sequence[float], shifts: tuple[int, int, int]) -> None:
        self.order = list(range(len(keys)))
        self._keys = keys
        self._shifts = shifts

    def sort(self, low: int, high: int) -> None:
        balanced = untouched = True
        while high - low > SHORT:
            if not balanced:
                self._scatter(low, high)
            pivot, rising = self._pivot(low, high)
            if balanced and untouched and rising and self._mend(low, high):
                return
            if low and not self._less(low - 1, pivot):
                low = self._part_equal(low, high, pivot)
                continue
            length = high - low
            middle, untouched = self._part(low, high, pivot)
            balanced = min(middle - low, high - middle) >= length // 8
            if middle - low < high - middle:
                self.sort(low, middle)
                low = middle + 1
            else:
                self.sort(middle + 1, high)
                high = middle
        self._insertion_sort(low, high)

    def _less(self, one: int, other: int) -> bool:
        return self._keys[self.order[one]] < self._keys[self.order[other]]

    def _swap(self, one: int, other: int) -> None:
        self.order[one], self.order[other] = self.order[other], self.order[one]

    def _insertion_sort(self, low: int, high: int) -> None:
        for place in range(low + 1, high):
            self._sink(place, low)

    def _sink(self, place: int, low: int) -> None:
        """Move an element down until the one before it is not larger."""
        while place > low and self._less(place, place - 1):
            self._swap(place, place - 1)
            place -= 1

    def _scatter(self, low: int, high: int) -> None:
        """Swap three elements in the middle with others, as a generator says that is seeded with the length."""
        length = number = high - low
        left, right, left_again = self._shifts
        for offset in (-1, 0, 1):
            number ^= number << left & _MASK
            number ^= number >> right
            number ^= number << left_again & _MASK
            other = number & ((1 << length.bit_length()) - 1)
            self._swap(low + length // 4 * 2 + offset, low + (other - length if other >= length else other))

    def _pivot(self, low: int, high: int) -> tuple[int, bool]:
        """A median of three or nine, and whether all of these were in order. All in reverse: the range is turned round."""
        length, swaps = high - low, 0
        quarters = [low + length // 4 * number for number in (1, 2, 3)]
        if length >= _LONG:
            medians = [self._median(place - 1, place, place + 1) for place in quarters]
            quarters, swaps = [place for place, _ in medians], sum(count for _, count in medians)
        pivot, count = self._median(*quarters)
        if swaps + count == _ALL_REVERSED:
            self.order[low:high] = self.order[low:high][::-1]
            return high - 1 - (pivot - low), True
        return pivot, swaps + count == 0

    def _median(self, one: int, two: int, three: int) -> tuple[int, int]:
        """The median's place, and how many comparisons found a larger element first."""
        swaps = 0
        if self._less(two, one):
            one, two, swaps = two, one, swaps + 1
        if self._less(three, two):
            two, three, swaps = three, two, swaps + 1
        if self._less(two, one):
            one, two, swaps = two, one, swaps + 1
        return two, swaps

    def _mend(self, low: int, high: int) -> bool:
        """Whether the range is sorted, after a few elements were put right if it is a long one."""
        place = low + 1
        for _ in range(_MENDED):
            while place < high and not self._less(place, place - 1):
                place += 1
            if place == high:
                return True
            if high - low < _LONG:
                return False
            self._swap(place, place - 1)
            if place - low >= 2:
                self._sink(place - 1, 0)
            if high - place >= 2:
                self._rise(place + 1, high)
        return False

    def _rise(self, place: int, high: int) -> None:
        while place < high and self._less(place, place - 1):
            self._swap(place, place - 1)
            place += 1

    def _part(self, low: int, high: int, pivot: int) -> tuple[int, bool]:
        """Smaller ones before the pivot, the others after it: its new place, and whether it was so already."""
        self._swap(low, pivot)
        left, right, untouched = low + 1, high - 1, True
        while True:
            while left <= right and self._less(left, low):
                left += 1
            while left <= right and not self._less(right, low):
                right -= 1
            if left > right:
                break
            self._swap(left, right)
            left, right, untouched = left + 1, right - 1, False
        self._swap(right, low)
        return right, untouched

    def _part_equal(self, low: int, high: int, pivot: int) -> int:
        """Where none is smaller than the pivot: those equal to it first. Where the larger ones begin."""
        self._swap(low, pivot)
        left, right = low + 1, high - 1
        while True:
            while left <= right and not self._less(low, left):
                left += 1
            while left <= right and self._less(low, right):
                right -= 1
            if left > right:
                return left
            self._swap(left, right)
            left, right = left + 1, right - 1
