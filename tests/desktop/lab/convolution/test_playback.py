"""Tests the playback of a convolution."""

from desktop.lab.convolution.playback import Playback


def test_steps_add_products_then_go_to_the_next_value() -> None:
    playback = Playback(rows=2, columns=3, terms=4)
    assert (playback.position, playback.added, playback.complete_values) == ((0, 0), 0, 0)
    for _ in range(3):
        playback.step()
    assert (playback.position, playback.added) == ((0, 0), 3)
    playback.step()
    assert (playback.position, playback.added, playback.complete_values) == ((0, 1), 0, 1)
    playback.step()
    playback.next_value()
    assert (playback.position, playback.added, playback.complete_values) == ((0, 2), 0, 2)
    playback.next_value()
    assert playback.position == (1, 0)


def test_the_end_shows_the_last_value_complete() -> None:
    playback = Playback(rows=2, columns=2, terms=9)
    playback.advance(1000)
    assert playback.finished
    assert (playback.position, playback.added, playback.complete_values) == ((1, 1), 9, 4)
    playback.next_value()
    playback.step()
    assert playback.finished
    assert playback.position == (1, 1)


def test_fractions_of_products_add_up() -> None:
    playback = Playback(rows=1, columns=2, terms=2)
    for _ in range(6):
        playback.advance(0.25)
    assert playback.added == 1
    playback.step()
    assert (playback.position, playback.added) == ((0, 1), 0)


def test_a_value_can_be_chosen() -> None:
    playback = Playback(rows=3, columns=5, terms=9)
    playback.move_to(2, 1)
    assert (playback.position, playback.added, playback.complete_values) == ((2, 1), 0, 11)
