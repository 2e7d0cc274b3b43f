"""Tickets."""

from runwidgets.portal.tickets import TICKET_SECONDS, Tickets


def test_a_ticket_is_good_once():
    tickets = Tickets()
    ticket = tickets.issue()
    assert [tickets.redeem(ticket), tickets.redeem(ticket)] == [True, False]


def test_a_ticket_is_good_for_ten_minutes():
    now = 0.0
    tickets = Tickets(lambda: now)
    early, late = tickets.issue(), tickets.issue()
    now = TICKET_SECONDS - 1
    assert tickets.redeem(early)
    now = TICKET_SECONDS + 1
    assert not tickets.redeem(late)


def test_no_other_word_is_good():
    tickets = Tickets()
    ticket = tickets.issue()
    assert not any(map(tickets.redeem, ("", ticket[:-1], ticket + "x", ticket.swapcase(), "é")))


def test_of_very_many_the_oldest_are_void():
    tickets = Tickets()
    issued = [tickets.issue() for _ in range(1001)]
    assert not tickets.redeem(issued[0])
    assert all(map(tickets.redeem, issued[1:]))
