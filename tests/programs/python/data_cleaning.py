# cleans a messy list of records and says what was wrong
import json
import re
from datetime import date, datetime

RAW = [
    {"name": "  alice SMITH ", "email": "Alice@Example.COM", "age": "34", "joined": "2021-03-04"},
    {"name": "Bob Jones", "email": "bob(at)example.com", "age": "n/a", "joined": "04/05/2020"},
    {"name": "", "email": "carol@example.org", "age": "29", "joined": "2022-13-01"},
    {"name": "dave o'neil", "email": "dave@example.org ", "age": "41.0", "joined": "Mar 7, 2019"},
    {"name": "Alice Smith", "email": "alice@example.com", "age": 34, "joined": "2021-03-04"},
    {"name": "Éva Kovács", "email": "eva@example.hu", "age": None, "joined": None},
]
FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%b %d, %Y")
EMAIL = re.compile(r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$")


def parse_date(text):
    if text is None:
        return None
    for form in FORMATS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError as error:
            last = error
    raise ValueError(f"unknown date {text!r} ({last})")


def clean(record):
    problems = []
    name = " ".join(part.capitalize() for part in record["name"].split())
    if not name:
        problems.append("missing name")
    email = record["email"].strip().lower()
    if not EMAIL.match(email):
        problems.append(f"bad email {email}")
    try:
        age = int(float(record["age"]))
    except (TypeError, ValueError) as error:
        age = None
        problems.append(f"{type(error).__name__}: {error}")
    try:
        joined = parse_date(record["joined"])
    except ValueError as error:
        joined = None
        problems.append(str(error))
    return {"name": name, "email": email, "age": age, "joined": joined}, problems


def default(value):
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError


seen = {}
for number, record in enumerate(RAW, start=1):
    cleaned, problems = clean(record)
    for problem in problems:
        print(f"row {number}: {problem}")
    if cleaned["email"] in seen:
        print(f"row {number}: duplicate of row {seen[cleaned['email']]}")
        continue
    seen[cleaned["email"]] = number
    print(json.dumps(cleaned, default=default, ensure_ascii=False))
