"""Moves a window over an output, product by product, at an adjustable speed."""

from dataclasses import dataclass


@dataclass
class Playback:
    """The state of an animation that computes an output value by value.

    Attributes:
        rows: Rows of the output.
        columns: Columns of the output.
        terms: Products of each value.
        done: Products that were added so far, over all values.
    """

    rows: int
    columns: int
    terms: int
    done: float = 0.0

    @property
    def count(self) -> int:
        """Number of output values."""
        return self.rows * self.columns

    @property
    def finished(self) -> bool:
        """Whether all values are complete."""
        return self.done >= self.count * self.terms

    @property
    def complete_values(self) -> int:
        """Number of output values whose sum is complete."""
        return min(int(self.done) // self.terms, self.count)

    @property
    def position(self) -> tuple[int, int]:
        """Row and column of the value whose sum is being built; the last one at the end."""
        return divmod(min(self.complete_values, self.count - 1), self.columns)

    @property
    def added(self) -> int:
        """Number of products in the sum at :attr:`position`."""
        return self.terms if self.finished else int(self.done) % self.terms

    def advance(self, products: float) -> None:
        """Add products, which may be a fraction of one."""
        self.done = min(self.done + products, float(self.count * self.terms))

    def step(self) -> None:
        """Add one product."""
        self.done = float(int(self.done))
        self.advance(1)

    def next_value(self) -> None:
        """Complete the sum at :attr:`position`, and go to the next one."""
        self.done = min(float((self.complete_values + 1) * self.terms), float(self.count * self.terms))

    def move_to(self, row: int, column: int) -> None:
        """Go to a value, whose sum begins again."""
        self.done = float((row * self.columns + column) * self.terms)

    def restart(self) -> None:
        """Go back to the first product."""
        self.done = 0.0
