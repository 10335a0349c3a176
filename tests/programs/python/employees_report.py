# groups employees by department with dataclasses and prints tables
from collections import defaultdict
from dataclasses import asdict, astuple, dataclass, field
from datetime import date
from operator import attrgetter
from typing import NamedTuple


@dataclass(order=True)
class Employee:
    sort_index: tuple = field(init=False, repr=False)
    name: str
    department: str
    salary: float
    hired: date
    skills: list[str] = field(default_factory=list, compare=False)

    def __post_init__(self):
        self.sort_index = (-self.salary, self.name)

    @property
    def years(self):
        return (date(2025, 1, 1) - self.hired).days / 365.25


class Summary(NamedTuple):
    department: str
    people: int
    average: float
    oldest: str


STAFF = [
    Employee("Ann", "Sales", 52_000, date(2015, 3, 1), ["negotiation"]),
    Employee("Bob", "Sales", 48_500.5, date(2019, 7, 15)),
    Employee("Cleo", "Engineering", 91_000, date(2012, 1, 9), ["python", "rust"]),
    Employee("Dmitri", "Engineering", 87_250, date(2020, 11, 30), ["go"]),
    Employee("Eva", "Engineering", 91_000, date(2018, 5, 5)),
    Employee("李雷", "Support", 39_999.99, date(2023, 2, 28)),
]


def table(rows, headers, formats):
    cells = [[form.format(value) for form, value in zip(formats, row)] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(headers, *cells)]
    rule = "+".join("-" * (width + 2) for width in widths)
    print(f"+{rule}+")
    print("|" + "|".join(f" {head:^{width}} " for head, width in zip(headers, widths)) + "|")
    print(f"+{rule.replace('-', '=')}+")
    for row in cells:
        print("|" + "|".join(f" {cell:<{width}} " for cell, width in zip(row, widths)) + "|")
    print(f"+{rule}+")


groups = defaultdict(list)
for employee in sorted(STAFF):
    groups[employee.department].append(employee)
table([(e.name, e.department, e.salary, e.hired, e.years) for e in sorted(STAFF)], ["Name", "Department", "Salary", "Hired", "Years"], ["{}", "{}", "{:>12,.2f}", "{:%d.%m.%Y}", "{:5.1f}"])
summaries = [Summary(name, len(people), sum(p.salary for p in people) / len(people), min(people, key=attrgetter("hired")).name) for name, people in groups.items()]
table(summaries, [f.title() for f in Summary._fields], ["{}", "{:d}", "{:.1f}", "{}"])
print(summaries[0]._replace(people=99), Summary._make("abcd"))
print(asdict(STAFF[0]))
print(astuple(STAFF[1]), STAFF[2] > STAFF[4], STAFF[2] == STAFF[2])
print(STAFF[5])
raised = {e.name: round(e.salary * (1.05 if "python" in e.skills else 1.02), 2) for e in STAFF if e.years > 3}
print(raised)
print(sorted(STAFF, key=attrgetter("department", "name"))[0].name, sum(map(attrgetter("salary"), STAFF)))
