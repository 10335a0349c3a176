# a library: books, members, loans, fines, search, kept as JSON
from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path


class LibraryError(Exception):
    pass


@dataclass
class Book:
    isbn: str
    title: str
    author: str
    copies: int = 1

    def __post_init__(self):
        digits = [10 if c == "X" else int(c) for c in self.isbn if c.isdigit() or c == "X"]
        check = sum(d * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 if len(digits) == 13 else sum(d * (10 - i) for i, d in enumerate(digits)) % 11
        if len(digits) not in (10, 13) or check:
            raise LibraryError(f"{self.isbn} is no ISBN")


@dataclass
class Loan:
    isbn: str
    member: str
    due: date
    returned: date | None = None

    def fine(self, today: date) -> float:
        late = ((self.returned or today) - self.due).days
        return max(0, late) * 0.25


@dataclass
class Library:
    books: dict[str, Book] = field(default_factory=dict)
    loans: list[Loan] = field(default_factory=list)

    def add(self, *args):
        book = Book(*args)
        if book.isbn in self.books:
            self.books[book.isbn].copies += book.copies
        else:
            self.books[book.isbn] = book

    def lend(self, isbn, member, today):
        book = self.books.get(isbn) or self._missing(isbn)
        open_loans = [loan for loan in self.loans if loan.returned is None]
        if sum(loan.isbn == isbn for loan in open_loans) >= book.copies:
            raise LibraryError(f"no copy of {book.title!r} is left")
        if sum(loan.member == member for loan in open_loans) >= 2:
            raise LibraryError(f"{member} has two books")
        self.loans.append(Loan(isbn, member, today + timedelta(weeks=3)))

    def _missing(self, isbn):
        raise LibraryError(f"unknown book {isbn}")

    def give_back(self, isbn, member, today):
        loan = next((l for l in self.loans if (l.isbn, l.member, l.returned) == (isbn, member, None)), None)
        if not loan:
            raise LibraryError(f"{member} does not have {isbn}")
        loan.returned = today
        return loan.fine(today)

    def search(self, text):
        text = text.casefold()
        return [book for book in self.books.values() if text in f"{book.title} {book.author}".casefold()]

    def save(self, path):
        Path(path).write_text(json.dumps({"books": [vars(b) for b in self.books.values()], "loans": [vars(l) for l in self.loans]}, default=str, indent=1))


library = Library()
for row in [("978-0-306-40615-7", "Gauge Theory", "Müller"), ("0-19-853453-1", "Topology", "Smith", 2), ("080442957X", "Old Maps", "O'Hara"), ("123", "Bad", "None")]:
    try:
        library.add(*row)
    except LibraryError as error:
        print("error:", error)
day = date(2025, 2, 1)
for act in [("lend", "0-19-853453-1", "ann"), ("lend", "0-19-853453-1", "bob"), ("lend", "0-19-853453-1", "cid"), ("lend", "080442957X", "ann"), ("lend", "978-0-306-40615-7", "ann"), ("lend", "nope", "ann"), ("give_back", "0-19-853453-1", "ann"), ("give_back", "0-19-853453-1", "ann")]:
    name, isbn, member = act
    try:
        print(*act, "->", getattr(library, name)(isbn, member, day))
    except LibraryError as error:
        print(*act, "!", error)
    day += timedelta(days=7)
print(library.search("MÜLL"), [book.title for book in library.search("o")])
fines = defaultdict(float)
for loan in library.loans:
    fines[loan.member] += loan.fine(date(2025, 6, 1))
print(dict(fines))
library.save("library.json")
print(Path("library.json").read_text())
